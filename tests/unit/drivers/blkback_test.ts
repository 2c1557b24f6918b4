/**
 * What the block back end does with requests: what it maps and unmaps, keeps, gives back, and when.
 * Which requests it takes is in `tests/conformance/blkback_test.ts`.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { BLKIF_RSP_ERROR, BLKIF_RSP_OKAY } from "../../../lib/drivers/blkif/blkif.ts";
import { RamBlockDevice } from "../../../lib/drivers/block/ram_block_device.ts";
import { blkbackDisconnect } from "../../../lib/drivers/blkback/connect.ts";
import { validateBlkback } from "../../../lib/drivers/blkback/validate.ts";
import { HostileBlkfront } from "../../../lib/experiments/hostile_blkfront.ts";
import { world } from "../../../lib/experiments/world.ts";

const OK = BLKIF_RSP_OKAY;
const ERR = BLKIF_RSP_ERROR;
const segments = (front: HostileBlkfront, n: number) => Array.from({ length: n }, () => front.page());

Deno.test("blkback echoes id and operation", () => {
  const front = new HostileBlkfront(world());
  front.ask({ operation: 1, id: 0x7fff1234, segments: [front.page()] });
  front.ask({
    operation: 6,
    indirectOp: 0,
    nrSegments: 1,
    indirectGrefs: [front.descriptors([front.page()]).gref],
  });
  assertEquals(
    front.responses.map(({ idLo, operation }) => [idLo, operation]),
    // an indirect request is answered as what it does to the disk
    [[0x7fff1234, 1], [1, 0]],
  );
});

Deno.test("blkback moves exactly the sectors of each segment, in order", () => {
  const w = world();
  const front = new HostileBlkfront(w);
  const [a, b] = [front.page(), front.page()];
  w.hv.mem.fillFrame(a.frame as never, 0x11);
  w.hv.mem.fillFrame(b.frame as never, 0x22);
  front.ask({
    operation: 1,
    sector: 100,
    segments: [{ ...a, first: 6, last: 7 }, { ...b, first: 0, last: 0 }],
  });
  assertEquals([99, 100, 101, 102, 103].map((sector) => front.disk.read8(sector * 512)), [
    0xe3,
    0x11,
    0x11,
    0x22,
    0xe7,
  ]);
});

// --- maps and unmaps, counted ------------------------------------------------------------------------------------
for (
  const [what, nrSegs, expected] of [
    ["1 segment", 1, { maps: 1, unmaps: 1, ops: 2, flushes: 1 }],
    ["11 segments", 11, { maps: 1, unmaps: 1, ops: 22, flushes: 1 }],
  ] as const
) {
  Deno.test(`without persistence a request of ${what} is one map and one unmap hypercall`, () => {
    const w = world();
    const front = new HostileBlkfront(w, { persistent: false });
    const request = { segments: segments(front, nrSegs) };
    const { counts } = w.events(() => front.ask(request));
    // Two more hypercalls: the front end's event, and the back end's answer.
    assertEquals(
      { hypercalls: counts.hypercall, ops: counts.gnttab_op, flushes: counts.flush_tlb_mask },
      { hypercalls: expected.maps + expected.unmaps + 2, ops: expected.ops, flushes: expected.flushes },
    );
  });
}

Deno.test("an indirect request maps descriptors, then pages by elevens, and unmaps all at once", () => {
  const w = world();
  const front = new HostileBlkfront(w, { persistent: false });
  const descriptors = front.descriptors(segments(front, 32));
  const request = { operation: 6, nrSegments: 32, indirectGrefs: [descriptors.gref] };
  const { counts } = w.events(() => front.ask(request));
  // Descriptors: map, unmap. Pages: 11 + 11 + 10 mapped, 32 unmapped: one flush each. Two events.
  assertEquals([counts.hypercall, counts.gnttab_op, counts.flush_tlb_mask], [2 + 3 + 1 + 2, 2 + 64, 2]);
});

Deno.test("with all grants kept a request makes no grant operation, and one hypercall with an empty list", () => {
  const w = world();
  const front = new HostileBlkfront(w);
  const request = { segments: segments(front, 11) };
  front.ask(request);
  const { counts } = w.events(() => front.ask(request));
  assertEquals([counts.hypercall, counts.gnttab_op, counts.maptrack_op], [1 + 2, undefined, undefined]);
  // Xen flushes the TLBs per batch of 32 operations; of none there is none.
  assertEquals(counts.flush_tlb_mask, undefined);
});

// --- the tree of persistent grants ---------------------------------------------------------------------------------
function keeping(parameters: Record<string, number>) {
  const w = world({ guestFrames: 2048, ballooned: 1600 });
  const front = new HostileBlkfront(w, { parameters });
  const [ring] = front.back.rings;
  const use = (n: number) => {
    for (let i = 0; i < n; i++) front.ask({ segments: [front.page()] }, 0);
  };
  return { w, front, ring: ring!, use };
}

Deno.test("grants are kept up to the maximum; one more is mapped and unmapped, and noted", () => {
  const { w, front, ring, use } = keeping({ max_persistent_grants: 100 });
  use(100);
  assertEquals([ring.persistent.size, front.back.overflowMaxGrants], [100, false]);
  use(1);
  assertEquals([ring.persistent.size, front.back.overflowMaxGrants, w.dom0.maptrack.live], [100, true, 101]);
});

// 5 % of the maximum, and what is above it (which cannot be: the tree never grows past it).
for (
  const [what, max, used, purged] of [
    ["below the maximum", 100, 99, 0],
    ["at the maximum, none refused", 100, 100, 0],
    ["at the maximum, one refused", 100, 101, 5],
    ["at a maximum of 250, one refused", 250, 251, 10],
    ["at the default maximum, one refused", 1056, 1057, 50],
    ["a maximum below 100: 5 % of it is nothing", 99, 100, 0],
  ] as const
) {
  Deno.test(`the purge after 100 ms, ${what}, gives back ${purged}`, () => {
    const { w, front, ring, use } = keeping({ max_persistent_grants: max });
    w.advance(1); // the purge of the connection's first run is over
    use(used);
    const size = ring.persistent.size;
    w.advance(200);
    assertEquals(size - ring.persistent.size, purged);
    assertEquals([ring.stats.purged, validateBlkback(front.back)], [purged, []] as unknown[]);
    if (purged > 0) assertEquals(front.back.overflowMaxGrants, false);
  });
}

for (
  const [what, seconds, waits, left] of [
    ["just not 60 s", 60, 59_800, 1],
    ["60 s", 60, 60_200, 0],
    ["2 s where 2 s are allowed", 2, 2_200, 0],
    ["an hour where there is no limit", 0, 3_600_000, 1],
  ] as const
) {
  Deno.test(`a kept grant that was idle for ${what}: ${left} left`, () => {
    const { w, ring, use } = keeping({ persistent_grant_unused_seconds: seconds });
    use(1);
    w.advance(waits);
    assertEquals([ring.persistent.size, w.dom0.maptrack.live], [left, 1 + left]);
  });
}

Deno.test("purging takes idle grants first, lowest reference first, and never one in use", () => {
  const { w, front, ring, use } = keeping({ max_persistent_grants: 100 });
  use(101);
  const [first, second] = ring.persistent.values();
  first!.active = true;
  ring.persistentInUse++;
  w.advance(150);
  assertEquals([ring.persistent.size, ring.persistent.values()[0]], [95, first] as unknown[]);
  assertEquals(ring.persistent.find(second!.gnt), undefined);
  first!.active = false;
  ring.persistentInUse--;
  assertEquals(validateBlkback(front.back), []);
});

// --- the stock of pages ---------------------------------------------------------------------------------------------
for (const [limit, stock] of [[1024, 11], [11, 11], [10, 10], [0, 0]] as const) {
  Deno.test(`after a request of 11 pages at most ${limit} stay in stock: ${stock}`, () => {
    const w = world();
    const front = new HostileBlkfront(w, { persistent: false, parameters: { max_buffer_pages: limit } });
    front.ask({ segments: segments(front, 11) });
    w.advance(200);
    assertEquals(front.back.rings[0]!.freePages.size, stock);
  });
}

Deno.test("a kernel short of memory empties the stock for 10 ms", async () => {
  const { reclaimMemory } = await import("../../../lib/drivers/blkback/schedule.ts");
  const w = world();
  const front = new HostileBlkfront(w, { persistent: false });
  const [ring] = front.back.rings;
  const eleven = { segments: segments(front, 11) };
  front.ask(eleven);
  assertEquals(ring!.freePages.size, 11);
  reclaimMemory(front.back.rings);
  w.advance(1);
  assertEquals(ring!.freePages.size, 0);
  front.ask(eleven, 5);
  front.ask(eleven, 0);
  const pages = () => ring!.freePages.size;
  // The shrink comes at the end of a run of the thread, after the pages of the request came back.
  assertEquals(pages(), 0);
  w.advance(10);
  front.ask(eleven);
  assertEquals(pages(), 11);
});

// --- rings and threads ----------------------------------------------------------------------------------------------
Deno.test("a refused request makes the thread sleep for 1 ms; what comes behind it waits", () => {
  const w = world();
  const front = new HostileBlkfront(w);
  front.put({ segments: [{ gref: 300 }] });
  front.put({ segments: [front.page()] });
  front.kick(0);
  assertEquals(front.responses.map(({ status }) => status), [ERR]);
  w.advance(1);
  front.kick(0);
  assertEquals(front.responses.map(({ status }) => status), [ERR, OK]);
});

for (
  const [what, lead, isHalted] of [
    ["32 requests at once, as many as there are slots", 32, false],
    ["33 requests", 33, true],
    ["2^31 requests", 2 ** 31, true],
    ["an index that goes backwards", -1, true],
  ] as const
) {
  Deno.test(`req_prod claims ${what}: ${isHalted ? "the ring is halted" : "all are served"}`, () => {
    const w = world();
    const front = new HostileBlkfront(w);
    const other = new HostileBlkfront(w);
    for (let i = 0; i < 32; i++) front.put({ operation: 3 });
    front.lieAboutReqProd(lead >>> 0);
    const [ring] = front.back.rings;
    assertEquals([ring!.isHalted, front.responses.length], [isHalted, isHalted ? 0 : 32]);
    if (isHalted) assertMatch(w.kernel.system.log.at(-1)!.text, /bogus ring requests/);
    assertEquals(other.ask({ segments: [other.page()] }), OK, "another device of the same domain goes on");
    assertEquals(blkbackDisconnect(front.back).ok, true);
  });
}

Deno.test("a barrier waits for the requests before it and holds up those behind it until then", async () => {
  const { TimedBlockDevice } = await import("../../../lib/drivers/block/timed_block_device.ts");
  const { blankDisk } = await import("../../../lib/experiments/run_block_load.ts");
  const w = world();
  const disk = blankDisk(2 ** 20);
  const ram = new RamBlockDevice(w.kernel.system, disk);
  const front = new HostileBlkfront(w, { device: new TimedBlockDevice(ram, w.kernel.work, () => 7) });
  const ids = [
    front.put({ operation: 1, segments: [front.page()] }),
    front.put({ operation: 2, segments: [front.page()] }),
    front.put({ operation: 0, segments: [front.page()] }),
  ];
  const after: number[][] = [];
  for (const ms of [0, 7, 7, 7]) {
    front.kick(ms);
    after.push(front.responses.map(({ idLo }) => idLo));
  }
  // Once the first is done, the barrier goes to the disk, and the request behind it, too.
  assertEquals(after, [[], [ids[0]!], ids, ids]);
  assertEquals(validateBlkback(front.back), []);
});
