/**
 * Whatever front ends do, the back ends' books stay in order: users, handles, pages, pins. Front ends here send random
 * requests, good and bad, overwrite grants in use, lie about the ring; storage holds pages for as long as it likes.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { blkbackDisconnect } from "../../lib/drivers/blkback/connect.ts";
import { blkbackHoldings, validateBlkback } from "../../lib/drivers/blkback/validate.ts";
import { NetworkBlockDevice } from "../../lib/drivers/block/network_block_device.ts";
import { netbackConnect, netbackDisconnect } from "../../lib/drivers/netback/connect.ts";
import { kfreeSkb, type Skb, skbOrphanFrags } from "../../lib/drivers/netback/skb.ts";
import { netbackHandles, validateNetback } from "../../lib/drivers/netback/validate.ts";
import { Netfront } from "../../lib/drivers/netfront/netfront.ts";
import { writeTxRequest } from "../../lib/drivers/netif/netif.ts";
import { blankDisk } from "../../lib/experiments/run_block_load.ts";
import { HostileBlkfront } from "../../lib/experiments/hostile_blkfront.ts";
import { world } from "../../lib/experiments/world.ts";
import { validateXen } from "../../lib/xen/validate.ts";
import { holds } from "../support/property.ts";

const PAGES = 24;

const segment = fc.record({
  /** Which of the front end's pages; beyond: a reference that is nobody's, or any number. */
  gref: fc.oneof(
    { weight: 20, arbitrary: fc.nat(PAGES - 1) },
    { weight: 1, arbitrary: fc.integer({ min: 400, max: 2 ** 32 - 1 }) },
  ),
  first: fc.oneof({ weight: 25, arbitrary: fc.constant(0) }, fc.nat(9)),
  last: fc.oneof({ weight: 25, arbitrary: fc.constant(7) }, fc.nat(9)),
});

const request = fc.record({
  do: fc.constant("request" as const),
  operation: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(0, 1) }, fc.nat(9)),
  sector: fc.oneof({ weight: 8, arbitrary: fc.nat(1900) }, fc.integer({ min: 2000, max: 2 ** 40 })),
  segments: fc.array(segment, { maxLength: 11 }),
  extra: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(244)),
  indirect: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
});

const blkCommand = fc.oneof(
  { weight: 16, arbitrary: request },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(150) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constant(61_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("overwrite" as const), page: fc.nat(PAGES - 1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("lie" as const),
      by: fc.oneof({ weight: 5, arbitrary: fc.nat(3) }, fc.nat(40)),
    }),
  },
);

const fates = fc.array(
  fc.record({ answerMs: fc.nat(30), repeatMs: fc.option(fc.nat(120)) }),
  { minLength: 1, maxLength: 6 },
);

for (const persistent of [true, false]) {
  Deno.test(`no block front end breaks the books of blkback, persistent ${persistent}`, () => {
    let [okay, refused] = [0, 0];
    holds(
      [fc.array(blkCommand, { minLength: 8, maxLength: 40 }), fates, fc.nat(30)],
      (commands, wire, most) => {
        const w = world({ guestFrames: 256, ballooned: 64 });
        const before = w.kernel.frameSource.nrFree;
        const disk = blankDisk(2 ** 20);
        const device = new NetworkBlockDevice(w.kernel, disk, (n) => wire[n % wire.length]!);
        const parameters = { max_persistent_grants: most, max_buffer_pages: 8 };
        const front = new HostileBlkfront(w, { persistent, device, parameters });
        const pages = Array.from(
          { length: PAGES },
          (_, i) => front.page({ readonly: i % 8 === 7 && !persistent }),
        );
        const refOf = (n: number) => pages[n]?.gref ?? n;
        const check = () => {
          assertEquals([w.crash, validateBlkback(front.back)], [null, []] as unknown[]);
          assertEquals(validateXen(w.hv, { guestsBehave: false }), []);
          const holdings = blkbackHoldings(front.back);
          assertEquals(
            [w.dom0.maptrack.live, w.kernel.frameSource.nrFree],
            [holdings.handles, before - holdings.pages],
          );
        };
        for (const command of commands) {
          if (command.do === "wait") w.advance(command.ms);
          else if (command.do === "overwrite") {
            // The guest stores 0 into the entry whether it is in use or not.
            const { gref } = pages[command.page]!;
            w.guest.domain.mem.write16(w.guest.domain.grantTable.entry(gref), 0);
          } else if (command.do === "lie") front.lieAboutReqProd(front.ring.reqProdPvt + command.by >>> 0);
          else {
            const { operation, sector, extra } = command;
            const segments = command.segments.map(({ gref, first, last }) => ({
              gref: refOf(gref),
              first,
              last,
            }));
            const nrSegments = segments.length + extra & 0xff;
            if (!command.indirect) front.put({ operation, sector, segments, nrSegments });
            else {
              const descriptors = front.guest.domain.grantTable.nrEntries > 0
                ? refOf(command.extra % PAGES)
                : 0;
              front.put({
                operation: 6,
                indirectOp: operation,
                sector,
                nrSegments,
                indirectGrefs: [descriptors],
              });
            }
            front.kick(0);
          }
          check();
        }
        w.advance(1000);
        check();
        okay += front.back.rings[0]!.stats.okay;
        refused += front.back.rings[0]!.stats.error;
        // Whatever happened to this one: it can be taken away, and a new one works.
        assertEquals(blkbackDisconnect(front.back), { ok: true, value: 0 });
        assertEquals([w.dom0.maptrack.live, w.kernel.frameSource.nrFree], [0, before]);
        const other = w.blk({ persistent });
        assertEquals(other.write(0).verdict, "ok");
      },
      120,
    );
    assertEquals(okay > 250 && refused > 250, true, `only ${okay} okay, ${refused} refused`);
  });
}

const slot = fc.record({
  page: fc.oneof({ weight: 8, arbitrary: fc.nat(PAGES - 1) }, fc.integer({ min: 400, max: 2 ** 32 - 1 })),
  offset: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(4096)),
  size: fc.oneof({ weight: 6, arbitrary: fc.nat(1500) }, fc.nat(65535)),
  flags: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.constant(4) },
    fc.nat(15),
  ),
});

const netCommand = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      slots: fc.array(slot, { minLength: 1, maxLength: 24 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("free" as const), n: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("orphan" as const), n: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("overwrite" as const), page: fc.nat(PAGES - 1) }) },
);

Deno.test("no network front end breaks the books of netback", () => {
  let packets = 0;
  holds([fc.array(netCommand, { maxLength: 25 })], (commands) => {
    const w = world({ guestFrames: 256, ballooned: 600 });
    const before = w.kernel.frameSource.nrFree;
    const front = new Netfront(w.guest, 0);
    const held: Skb[] = [];
    const back = netbackConnect(w.kernel, front.offer, { receive: (skb) => held.push(skb) });
    if (!back.ok) throw new Error(back.errno);
    const vif = back.value;
    const { tx, port } = front.queues[0]!;
    const pages = w.guest.allocFrames(PAGES).map((frame) =>
      w.guest.grantRefs.grantForeignAccess(0, frame, false)
    );
    const check = () => {
      assertEquals(
        [w.crash, validateNetback(vif), validateXen(w.hv, { guestsBehave: false })],
        [null, [], []] as unknown[],
      );
      assertEquals(w.dom0.maptrack.live, netbackHandles(vif));
    };
    let id = 0;
    for (const command of commands) {
      if (command.do === "send") {
        for (const { page, offset, size, flags } of command.slots) {
          if (tx.free === 0) break;
          const request = { gref: pages[page] ?? page, offset, flags, id: id++ & 0xffff, size };
          writeTxRequest(tx.shared, tx.shared.slot(tx.reqProdPvt++), request);
        }
        tx.pushRequests();
        w.kernel.evtchn.notify(port);
        w.advance(0);
        tx.rspCons = tx.shared.index(8);
      } else if (command.do === "overwrite") {
        w.guest.domain.mem.write16(w.guest.domain.grantTable.entry(pages[command.page]!), 0);
      } else {
        const skb = held[command.n];
        if (skb === undefined) continue;
        if (command.do === "orphan") skbOrphanFrags(skb);
        else kfreeSkb(held.splice(command.n, 1)[0]!);
        w.advance(0);
      }
      check();
    }
    packets += vif.queues[0]!.stats.fromGuest;
    for (const skb of held) kfreeSkb(skb);
    w.advance(0);
    check();
    assertEquals(netbackDisconnect(vif), { ok: true, value: 0 });
    assertEquals([w.dom0.maptrack.live, w.kernel.frameSource.nrFree], [0, before]);
  }, 150);
  assertEquals(packets > 150, true, `only ${packets} packets`);
});
