/**
 * What a network front end may send and what it gets, one rule broken a row; the control breaks none. After each the
 * books are in order, and another guest's packets still get through.
 */

import { assertEquals } from "@std/assert";
import { maddrOf } from "../../lib/core/frames.ts";
import { netbackConnect, netbackDisconnect } from "../../lib/drivers/netback/connect.ts";
import { kfreeSkb, skbBytes } from "../../lib/drivers/netback/skb.ts";
import { netbackHandles, validateNetback } from "../../lib/drivers/netback/validate.ts";
import { Netfront } from "../../lib/drivers/netfront/netfront.ts";
import { readTxResponse, type TxRequest, writeTxRequest } from "../../lib/drivers/netif/netif.ts";
import { REQ_PROD } from "../../lib/drivers/ring/shared_ring.ts";
import { world } from "../../lib/experiments/world.ts";
import { validateXen } from "../../lib/xen/validate.ts";

const MORE = 4;
const EXTRA = 8;
const [OKAY, ERROR] = [0, -1];

function stage() {
  const w = world({ guestFrames: 1024, ballooned: 1200, spareFrames: 512 });
  const front = new Netfront(w.guest, 0);
  const packets: Uint8Array[] = [];
  const back = netbackConnect(w.kernel, front.offer, {
    receive(skb) {
      packets.push(skbBytes(skb));
      kfreeSkb(skb);
    },
  });
  if (!back.ok) throw new Error(back.errno);
  const [queue] = front.queues;
  const { tx, port } = queue!;
  let id = 0;
  /** Puts slots into the ring as they are. */
  const put = (...slots: Partial<TxRequest>[]) => {
    for (const slot of slots) {
      const request = { gref: 0, offset: 0, flags: 0, id: id++, size: 0, ...slot };
      writeTxRequest(tx.shared, tx.shared.slot(tx.reqProdPvt++), request);
    }
  };
  const bell = () => {
    w.kernel.evtchn.notify(port);
    w.kernel.work.advance(0);
  };
  const kick = () => {
    tx.pushRequests();
    bell();
    const statuses: number[] = [];
    while (tx.unread > 0) statuses.push(readTxResponse(tx.shared, tx.shared.slot(tx.rspCons++)).status);
    return statuses;
  };
  /** A page full of bytes that dom0 may read. */
  const page = (byte: number, domid = 0) => {
    const [frame] = w.guest.allocFrames(1);
    w.hv.mem.fillFrame(frame as never, byte);
    return w.guest.grantRefs.grantForeignAccess(domid, frame!, true);
  };
  return { w, front, back: back.value, put, kick, bell, page, packets, tx };
}

type Stage = ReturnType<typeof stage>;

/** A packet of `n` slots: `first` bytes in the first, 100 in each of the others. */
function slots({ page }: Stage, n: number, first = 200): Partial<TxRequest>[] {
  return Array.from({ length: n }, (_, i) => ({
    gref: page(0x40 + i),
    size: i === 0 ? first + 100 * (n - 1) : 100,
    flags: i < n - 1 ? MORE : 0,
  }));
}

interface Row {
  readonly rule: string;
  readonly slots: (s: Stage) => Partial<TxRequest>[];
  /** Statuses, sorted. */
  readonly statuses: readonly number[];
  /** Bytes of the packets that got through. */
  readonly packets: readonly number[];
  readonly isDisabled?: boolean;
}

const n = (count: number, status: number): number[] => Array.from({ length: count }, () => status);
const control = (s: Stage) => slots(s, 3);
const changed = (change: (slots: Partial<TxRequest>[], s: Stage) => void) => (s: Stage) => {
  const three = slots(s, 3);
  change(three, s);
  return three;
};

const ROWS: readonly Row[] = [
  { rule: "control: three slots", slots: control, statuses: n(3, OKAY), packets: [400] },
  { rule: "one slot of 14 bytes", slots: (s) => slots(s, 1, 14), statuses: n(1, OKAY), packets: [14] },
  { rule: "one slot of 13 bytes", slots: (s) => slots(s, 1, 13), statuses: n(1, ERROR), packets: [] },
  {
    rule: "one slot of 128 bytes: all copied",
    slots: (s) => slots(s, 1, 128),
    statuses: n(1, OKAY),
    packets: [128],
  },
  {
    rule: "one slot of 129 bytes: one byte mapped",
    slots: (s) => slots(s, 1, 129),
    statuses: n(1, OKAY),
    packets: [129],
  },
  { rule: "one slot of a page", slots: (s) => slots(s, 1, 4096), statuses: n(1, OKAY), packets: [4096] },
  {
    rule: "a first slot beyond its page",
    slots: (s) => [{ gref: s.page(1), offset: 1, size: 4096 }],
    statuses: [],
    packets: [],
    isDisabled: true,
  },
  {
    rule: "a later slot up to the end of its page",
    slots: changed(([, b]) => b!.offset = 3996),
    statuses: n(3, OKAY),
    packets: [400],
  },
  {
    rule: "a later slot beyond its page",
    slots: changed(([, b]) => b!.offset = 3997),
    statuses: [],
    packets: [],
    isDisabled: true,
  },
  {
    rule: "slots larger than the packet says",
    slots: changed(([a]) => a!.size = 150),
    statuses: n(3, ERROR),
    packets: [],
  },
  {
    rule: "a packet that has no end",
    slots: changed(([, , c]) => c!.flags = MORE),
    statuses: [],
    packets: [],
    isDisabled: true,
  },
  {
    rule: "extra info",
    slots: changed(([a]) => a!.flags! |= EXTRA),
    statuses: [],
    packets: [],
    isDisabled: true,
  },
  {
    rule: "a bad reference in the head",
    slots: changed(([a]) => a!.gref = 500),
    statuses: [ERROR, OKAY, OKAY],
    packets: [],
  },
  {
    rule: "a bad reference in a part",
    slots: changed(([, b]) => b!.gref = 500),
    statuses: [ERROR, OKAY, OKAY],
    packets: [],
  },
  {
    rule: "bad references in all slots",
    slots: changed((all) => all.forEach((slot) => slot.gref = 500)),
    statuses: n(3, ERROR),
    packets: [],
  },
  {
    rule: "a page granted to another domain",
    slots: changed(([, , c], s) => c!.gref = s.page(1, 7)),
    statuses: [ERROR, OKAY, OKAY],
    packets: [],
  },
  {
    rule: "17 slots: 17 parts, as many as a packet has room for",
    slots: (s) => slots(s, 17),
    statuses: n(17, OKAY),
    packets: [1800],
  },
  {
    rule: "18 slots: 18 parts, copied together",
    slots: (s) => slots(s, 18),
    statuses: n(18, OKAY),
    packets: [1900],
  },
  {
    rule: "19 slots: the head is copied whole",
    slots: (s) => slots(s, 19),
    statuses: n(19, OKAY),
    packets: [2000],
  },
  {
    rule: "20 slots: one too many, dropped",
    slots: (s) => slots(s, 20),
    statuses: n(20, ERROR),
    packets: [],
  },
  { rule: "21 slots: dropped", slots: (s) => slots(s, 21), statuses: n(21, ERROR), packets: [] },
  { rule: "22 slots: malicious", slots: (s) => slots(s, 22), statuses: [], packets: [], isDisabled: true },
  {
    rule: "a good packet before a malicious one",
    slots: (s) => [...slots(s, 2), ...slots(s, 22)],
    statuses: n(2, OKAY),
    packets: [300],
    isDisabled: true,
  },
  {
    rule: "a good packet behind a bad one",
    slots: (s) => [...slots(s, 1, 13), ...slots(s, 2)],
    statuses: [ERROR, OKAY, OKAY],
    packets: [300],
  },
  {
    rule: "one page in all slots",
    slots: (s) => {
      const gref = s.page(9);
      return slots(s, 3).map((slot) => ({ ...slot, gref }));
    },
    statuses: n(3, OKAY),
    packets: [400],
  },
];

for (const row of ROWS) {
  Deno.test(`netback: ${row.rule}`, () => {
    const s = stage();
    s.put(...row.slots(s));
    const statuses = s.kick().sort((a, b) => a - b);
    assertEquals([statuses, s.packets.map(({ length }) => length)], [[...row.statuses], [...row.packets]]);
    assertEquals(s.back.isDisabled, row.isDisabled === true);
    assertEquals([validateNetback(s.back), validateXen(s.w.hv)], [[], []] as unknown[]);
    assertEquals(s.w.dom0.maptrack.live, netbackHandles(s.back));
    assertEquals(s.w.net({ guest: s.w.addGuest(256) }).send(1514).right, 1);
    if (row.isDisabled === true) {
      s.put(...slots(s, 1));
      assertEquals(s.kick(), [], "a disabled interface takes nothing");
    }
    assertEquals(netbackDisconnect(s.back).ok, true);
  });
}

for (
  const [what, lead, isDisabled] of [["256 slots", 256, false], ["257 slots", 257, true], [
    "2^31",
    2 ** 31,
    true,
  ]] as const
) {
  Deno.test(`netback: req_prod claims ${what}: ${isDisabled ? "disabled" : "served"}`, () => {
    const s = stage();
    for (let i = 0; i < 256; i++) s.put({ size: 13 });
    s.tx.shared.setIndex(REQ_PROD, lead);
    s.bell();
    assertEquals([s.back.isDisabled, s.tx.unread], [isDisabled, isDisabled ? 0 : 256]);
  });
}

Deno.test("netback copies 128 bytes of a packet and maps the rest, read-only, one part a slot", () => {
  const s = stage();
  s.put(...slots(s, 3));
  const { counts } = s.w.events(() => s.kick());
  // Event in, copy, map, unmap, event out (one: the answers of the unmapping thread come together).
  assertEquals([counts.xen_copy_bytes, counts.gnttab_op, counts.hypercall], [128, 1 + 3 + 3, 5]);
  assertEquals(
    [...s.packets[0]!].map((byte) => byte - 0x40).join(""),
    "0".repeat(200) + "1".repeat(100) + "2".repeat(100),
  );
});

Deno.test("netback unmaps a batch of packets in one hypercall, a flush for every 32 slots", () => {
  const s = stage();
  for (let i = 0; i < 20; i++) s.put(...slots(s, 2));
  const { counts } = s.w.events(() => s.kick());
  // One copy hypercall, one map, one unmap of 40.
  assertEquals([counts.flush_tlb_mask, counts.gnttab_op], [2, 20 + 40 + 40]);
  assertEquals([s.back.queues[0]!.stats.deallocRuns, s.back.queues[0]!.stats.deallocMost], [1, 40]);
});

Deno.test("netback takes 64 packets a run", () => {
  const s = stage();
  for (let i = 0; i < 65; i++) s.put(...slots(s, 1, 64));
  const { counts } = s.w.events(() => s.kick());
  // Two copy hypercalls, no map; one event in, one out (the front end asked for the first answer only).
  assertEquals([counts.hypercall, counts.gnttab_op], [4, 65]);
});

// --- towards the guest ---------------------------------------------------------------------------------------------
for (const [packets, hypercalls] of [[1, 1], [64, 1], [65, 2], [128, 2], [129, 3]] as const) {
  Deno.test(`towards the guest ${packets} copies are ${hypercalls} hypercalls`, () => {
    const w = world({ guestFrames: 1024, ballooned: 1200, spareFrames: 1024 });
    const receiver = w.net({ guest: w.addGuest(1024), rxPages: 200 });
    const sender = w.net({ to: receiver });
    const count = () => w.trace.count("hypercall");
    const { rxCopyOps } = receiver.back.queues[0]!;
    let copies = 0;
    const push = rxCopyOps.push.bind(rxCopyOps);
    rxCopyOps.push = (...ops) => {
      copies += ops.length;
      return push(...ops);
    };
    const before = count();
    const run = sender.send(Array.from({ length: packets }, (_, i) => new Uint8Array(64).fill(i)));
    assertEquals([run.right, copies], [packets, packets]);
    // From the sender: event in, copies by 64; the answers: one event each end; offers and their event.
    const fromSender = 1 + Math.ceil(packets / 64) + 1;
    const others = count() - before - fromSender - hypercalls;
    assertEquals(others >= 0 && others <= 5, true, `${others} further hypercalls`);
  });
}

Deno.test("a packet from guest to guest is copied by the grant of its sender, not from dom0's memory", () => {
  const w = world({ guestFrames: 1024, ballooned: 1200, spareFrames: 512 });
  const receiver = w.net({ guest: w.addGuest(256) });
  const sender = w.net({ to: receiver });
  const sources: unknown[] = [];
  const { rxCopyOps } = receiver.back.queues[0]!;
  const push = rxCopyOps.push.bind(rxCopyOps);
  rxCopyOps.push = (...ops) => {
    sources.push(...ops.map(({ source, flags }) => [source.domid, "ref" in source, flags]));
    return push(...ops);
  };
  assertEquals(sender.send(300).right, 1);
  // The head is dom0's own; the part is the sender's.
  assertEquals(sources, [[0x7ff0, false, 2], [1, true, 3]]);
});

Deno.test("a copy into a page that is not granted is the receiver's loss alone", () => {
  const w = world({ guestFrames: 1024, ballooned: 1200, spareFrames: 512 });
  const receiver = w.net({ guest: w.addGuest(256), rxPages: 4 });
  const sender = w.net({ to: receiver });
  const { rx } = receiver.front.queues[0]!;
  rx.shared.write32(rx.shared.slot(0) + 4, 499);
  assertEquals([sender.send(64).okay, receiver.front.stats.rxErrors], [1, 1]);
  assertEquals([sender.send(64).right, validateNetback(receiver.back)], [1, []] as unknown[]);
});

for (const [what, ms, expired, inWork] of [["9999 ms", 9999, 0, 1], ["10 s", 10_000, 1, 0]] as const) {
  Deno.test(`a packet that a guest does not take for ${what}: ${expired} given up, ${inWork} slots of its sender held`, () => {
    const w = world({ guestFrames: 1024, ballooned: 1200, spareFrames: 512 });
    const receiver = w.net({ guest: w.addGuest(256), rxPages: 0 });
    const sender = w.net({ to: receiver });
    sender.send(300);
    w.advance(ms);
    w.kernel.evtchn.notify(receiver.front.queues[0]!.port);
    w.advance(0);
    assertEquals([receiver.back.queues[0]!.stats.expired, 256 - sender.back.queues[0]!.pendingRing.length], [
      expired,
      inWork,
    ]);
  });
}

Deno.test("netback reads the head where it was granted", () => {
  const s = stage();
  const [frame] = s.w.guest.allocFrames(1);
  s.w.hv.mem.write8(maddrOf(frame as never, 1000), 0xaa);
  s.put({ gref: s.w.guest.grantRefs.grantForeignAccess(0, frame!, true), offset: 1000, size: 20 });
  assertEquals([s.kick(), s.packets[0]![0]], [[0], 0xaa]);
});
