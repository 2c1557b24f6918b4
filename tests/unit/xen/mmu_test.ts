import { assertEquals } from "@std/assert";
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_GLOBAL,
  _PAGE_GNTTAB,
  _PAGE_GUEST_KERNEL,
  _PAGE_NX,
  _PAGE_PCD,
  _PAGE_PRESENT as P,
  _PAGE_PSE,
  _PAGE_RW as RW,
  _PAGE_SPECIAL,
  _PAGE_USER as US,
} from "../../../lib/x86/pte.ts";
import * as xen from "../../../lib/xen/mod.ts";
import {
  assertInOrder,
  grant,
  type Host,
  host,
  type HostOptions,
  LINEAR,
  map,
  store,
} from "./two_domains.ts";

/** One update of entry 0 of dom0's level-1 table. */
interface Row {
  rule: string;
  options?: HostOptions;
  given?: (h: Host) => void;
  update?: (h: Host) => Partial<xen.MmuUpdate>;
  foreigndom?: (h: Host) => number;
  rc: number;
  /** Flags of entry 0 afterwards. */
  flags?: number;
}

const own = (h: Host, i = 20) => h.dom0.mfnOf(i);
const user = P | RW | US;
const setEntry = (h: Host, flags: number) =>
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame: own(h), flags }]).rc, 0);

const ROWS: Row[] = [
  { rule: "control: a user entry becomes global", rc: 0, flags: user | _PAGE_GLOBAL },
  {
    rule: "a kernel entry is marked by bit 52",
    update: () => ({ flags: P | RW }),
    rc: 0,
    flags: P | RW | US | _PAGE_GUEST_KERNEL,
  },
  {
    rule: "not present: stored as it is",
    update: () => ({ flags: RW | _PAGE_PSE }),
    rc: 0,
    flags: RW | _PAGE_PSE,
  },
  // the command
  { rule: "command 4", update: (h) => ({ ptr: h.pte(0) + 4 }), rc: -38 },
  { rule: "command 3", update: (h) => ({ ptr: h.pte(0) + 3 }), rc: 0, flags: user | _PAGE_GLOBAL },
  {
    rule: "command 2 keeps accessed and dirty",
    given: (h) => setEntry(h, user | _PAGE_ACCESSED | _PAGE_DIRTY),
    update: (h) => ({ ptr: h.pte(0) + 2 }),
    rc: 0,
    flags: user | _PAGE_GLOBAL | _PAGE_ACCESSED | _PAGE_DIRTY,
  },
  {
    rule: "command 0 does not",
    given: (h) => setEntry(h, user | _PAGE_ACCESSED | _PAGE_DIRTY),
    rc: 0,
    flags: user | _PAGE_GLOBAL,
  },
  // the table
  { rule: "entry in a frame of the guest", update: (h) => ({ ptr: h.guest.mfnOf(5) * 4096 }), rc: -22 },
  { rule: "entry beyond memory", update: () => ({ ptr: 2 ** 51 }), rc: -22 },
  {
    rule: "entry in an ordinary page: a plain store",
    update: (h) => ({ ptr: own(h, 21) * 4096 }),
    rc: 0,
    flags: 0,
  },
  // flags
  { rule: "cache attribute", update: () => ({ flags: user | _PAGE_PCD }), rc: -22 },
  {
    rule: "global bit by the guest",
    update: () => ({ flags: user | _PAGE_GLOBAL }),
    rc: 0,
    flags: user | _PAGE_GLOBAL,
  },
  {
    rule: "grant tag, release build",
    update: () => ({ flags: user | _PAGE_GNTTAB }),
    rc: 0,
    flags: user | _PAGE_GLOBAL | _PAGE_GNTTAB,
  },
  {
    rule: "grant tag, debug build",
    options: { flavour: { build: xen.debugBuild } },
    update: () => ({ flags: user | _PAGE_GNTTAB }),
    rc: -22,
  },
  // the page
  { rule: "frame of the guest", update: (h) => ({ frame: h.guest.mfnOf(5) }), rc: -16 },
  {
    rule: "frame of the guest, read-only",
    update: (h) => ({ frame: h.guest.mfnOf(5), flags: P | US }),
    rc: -16,
  },
  {
    rule: "frame of the guest, named as its owner",
    update: (h) => ({ frame: h.guest.mfnOf(5) }),
    foreigndom: (h) => h.guest.domid,
    rc: 0,
    flags: user | _PAGE_GLOBAL,
  },
  { rule: "own frame, the guest named as its owner", foreigndom: (h) => h.guest.domid, rc: -16 },
  { rule: "owner does not exist", foreigndom: () => 999, rc: -3 },
  { rule: "caller by its own number", foreigndom: () => 0, rc: -3 },
  { rule: "tables of a domain that does not exist", foreigndom: () => 1000 << 16 | xen.DOMID_SELF, rc: -3 },
  { rule: "frame of nobody", update: () => ({ frame: 2000 }), rc: -16 },
  { rule: "memory that is not RAM", update: () => ({ frame: 4096 }), rc: -1 },
  { rule: "frame of all ones", update: () => ({ frame: 2 ** 40 - 1 }), rc: -22 },
  {
    rule: "memory that is not RAM, allowed: uncached",
    options: { dom0: { mayMapIomem: true } },
    update: () => ({ frame: 4096 }),
    rc: 0,
    flags: user | _PAGE_GLOBAL | 1 << 3 | 1 << 4,
  },
  { rule: "own page table, writable", update: (h) => ({ frame: h.dom0.mfnOf(4) }), rc: -16 },
  {
    rule: "own page table, read-only",
    update: (h) => ({ frame: h.dom0.mfnOf(4), flags: P | US }),
    rc: 0,
    flags: P | US | _PAGE_GLOBAL,
  },
  {
    rule: "own grant-table frame",
    update: (h) => ({ frame: h.dom0.grantTable.sharedFrames[0]! }),
    rc: 0,
    flags: user | _PAGE_GLOBAL,
  },
  {
    rule: "own grant-table frame, uncached",
    options: { dom0: { mayMapIomem: true } },
    update: (h) => ({ frame: h.dom0.grantTable.sharedFrames[0]!, flags: user | _PAGE_PCD }),
    rc: -13,
  },
];

for (const row of ROWS) {
  Deno.test(`doMmuUpdate() returns ${row.rc}: ${row.rule}`, () => {
    const h = host(row.options);
    row.given?.(h);
    const before = h.entry(0);
    const update = { ptr: h.pte(0), frame: own(h), flags: user, ...row.update?.(h) };
    const result = xen.mmuUpdate(h.hv, h.dom0, [update], row.foreigndom?.(h) ?? xen.DOMID_SELF);
    assertEquals(result, { rc: row.rc, done: row.rc === 0 ? 1 : 0 });
    assertEquals(h.entry(0).flags, row.rc === 0 ? row.flags : before.flags);
    assertInOrder(h);
  });
}

Deno.test("doMmuUpdate() lets an unprivileged domain name no other", () => {
  const h = host();
  const update = { ptr: h.guest.mfnOf(7) * 4096, frame: own(h), flags: user };
  assertEquals(xen.mmuUpdate(h.hv, h.guest, [update], h.dom0.domid), { rc: -1, done: 0 });
  const tables = h.dom0.domid + 1 << 16 | xen.DOMID_SELF;
  assertEquals(xen.mmuUpdate(h.hv, h.guest, [{ ...update, ptr: h.pte(0) }], tables), { rc: -1, done: 0 });
});

Deno.test("doMmuUpdate() stops at the first error and says how far it came", () => {
  const h = host();
  const good = { ptr: h.pte(0), frame: own(h), flags: user };
  const updates = [good, { ...good, frame: 2000 }, { ...good, ptr: h.pte(1) }];
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, updates), { rc: -16, done: 1 });
  assertEquals(h.entry(1).flags, 0);
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, [good, null]), { rc: -14, done: 1 });
});

Deno.test("doMmuUpdate() changes M2P entries of own frames only", () => {
  const h = host();
  const mine = own(h);
  const theirs = h.guest.mfnOf(3);
  const set = (mfn: number) => xen.mmuUpdate(h.hv, h.dom0, [{ ptr: mfn * 4096 + 1, frame: 77, flags: 0 }]).rc;
  assertEquals([set(mine), h.hv.m2p.get(mine)], [0, 77]);
  assertEquals([set(theirs), h.hv.m2p.get(theirs)], [-22, 3]);
  assertEquals(h.hv.m2p.get(h.dom0.grantTable.sharedFrames[0]!), xen.INVALID_M2P_ENTRY);
  assertEquals([h.hv.m2p.isReadable(4095), h.hv.m2p.isReadable(4096), h.hv.m2p.get(4096)], [true, false, -1]);
});

Deno.test("modL1Entry() stores harmless flags of a grant's entry unchecked, and refuses its rights", () => {
  const h = host();
  grant(h, 1);
  map(h, { flags: xen.GNTMAP_host_map | xen.GNTMAP_application_map | xen.GNTMAP_contains_pte });
  const { frame, flags } = h.entry(0);
  const change = (to: number) => xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame, flags: to }]).rc;
  assertEquals([change(flags | _PAGE_SPECIAL), h.entry(0).flags], [0, flags | _PAGE_SPECIAL]);
  assertEquals([change(flags & ~_PAGE_NX), h.entry(0).flags], [0, flags & ~_PAGE_NX]);
  assertEquals(change(flags & ~RW), -16);
  const copy = { ptr: h.pte(1), frame, flags };
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, [copy]).rc, -16, "no second entry by frame number");
  assertEquals(h.hv.leaks, []);
  assertInOrder(h);
});

Deno.test("modTableEntry() takes only tables of the level below", () => {
  const h = host();
  const [l4, l3, l2, l1] = [h.dom0.mfnOf(1), h.dom0.mfnOf(2), h.dom0.mfnOf(3), h.dom0.mfnOf(4)];
  const set = (table: number, slot: number, frame: number, flags = P | RW) =>
    xen.mmuUpdate(h.hv, h.dom0, [{ ptr: table * 4096 + slot * 8, frame, flags }]).rc;
  const rows: [rule: string, rc: number, expect: number][] = [
    ["an empty frame becomes a level-1 table", set(l2, 2, own(h)), 0],
    ["a level-1 table in a level-2 entry", set(l2, 3, l1), 0],
    ["a level-2 table in a level-2 entry", set(l2, 4, l2), -22],
    ["a level-1 table in a level-3 entry", set(l3, 4, l1), -22],
    ["a superpage", set(l2, 4, own(h), P | RW | _PAGE_PSE), -22],
    ["a frame of the guest", set(l2, 4, h.guest.mfnOf(5)), -22],
    ["a slot of Xen", set(l4, 256, own(h, 22)), -22],
    ["the last slot of Xen", set(l4, 271, own(h, 22)), -22],
    ["the slot behind", set(l4, 272, own(h, 22)), 0],
  ];
  for (const [rule, rc, expect] of rows) assertEquals(rc, expect, rule);
  assertEquals(h.hv.frames.type(own(h)), xen.PGT_l1_page_table);
  assertEquals(set(l2, 2, 0, 0), 0);
  assertEquals(h.hv.frames.typeCount(own(h)), 0);
  assertInOrder(h);
});

Deno.test("doMmuUpdate() changes upper levels for the caller's own pages only", () => {
  const h = host();
  const update = { ptr: h.dom0.mfnOf(3) * 4096 + 16, frame: own(h), flags: P | RW };
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, [update], h.guest.domid), { rc: -22, done: 0 });
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, [update]), { rc: 0, done: 1 });
});

Deno.test("guestL1e() finds nothing in the range of Xen, whatever the tables say", () => {
  const h = host();
  const [l4, l3] = [h.dom0.mfnOf(1), h.dom0.mfnOf(2)];
  for (const slot of [255, 256, 271, 272]) store(h.hv, l4, slot, l3, user);
  const rows: [linear: number, rc: number][] = [
    [2 ** 47 - 2 ** 39 + LINEAR, 0],
    [2 ** 47 + LINEAR, -22],
    [0xffff800000000000 + LINEAR, -22],
    [0xffff878000000000 + LINEAR, -22],
    [0xffff880000000000 + LINEAR, 0],
  ];
  for (const [linear, rc] of rows) {
    assertEquals(xen.updateVaMapping(h.hv, h.dom0, linear, own(h), user, 0), rc, linear.toString(16));
  }
});

Deno.test("promote() refuses a table with a bad entry and drops what it took", () => {
  const bad: [rule: string, frame: (h: Host) => number, flags: number, rc: number][] = [
    ["control", (h) => own(h, 30), user, 0],
    ["frame of the guest", (h) => h.guest.mfnOf(5), user, -16],
    ["cache attribute", (h) => own(h, 30), user | _PAGE_PCD, -22],
    ["itself, writable", (h) => own(h), user, -16],
    ["itself, read-only", (h) => own(h), P | US, 0],
  ];
  for (const [rule, frame, flags, rc] of bad) {
    const h = host();
    store(h.hv, own(h), 0, own(h, 31), user);
    store(h.hv, own(h), 9, frame(h), flags);
    assertEquals(xen.mmuextOp(h.hv, h.dom0, [{ cmd: xen.MMUEXT_PIN_L1_TABLE, mfn: own(h) }]).rc, rc, rule);
    assertEquals(h.hv.frames.count(own(h, 31)), rc === 0 ? 2 : 1);
    assertInOrder(h);
  }
});

Deno.test("doMmuextOp() pins once, unpins once", () => {
  const h = host();
  const op = (cmd: number, mfn: number) => xen.mmuextOp(h.hv, h.dom0, [{ cmd, mfn }]).rc;
  assertEquals(op(xen.MMUEXT_UNPIN_TABLE, own(h)), -22);
  assertEquals(op(xen.MMUEXT_PIN_L2_TABLE, own(h)), 0);
  assertEquals(op(xen.MMUEXT_PIN_L2_TABLE, own(h)), -22);
  assertEquals(op(xen.MMUEXT_PIN_L1_TABLE, own(h)), -22);
  assertEquals(op(xen.MMUEXT_UNPIN_TABLE, own(h)), 0);
  assertEquals(op(xen.MMUEXT_PIN_L1_TABLE, own(h)), 0);
  assertEquals(op(xen.MMUEXT_PIN_L1_TABLE, h.guest.mfnOf(0)), -22);
  assertEquals(op(xen.MMUEXT_FLUSH_CACHE, 0), -38);
  assertEquals(op(99, 0), -38);
  assertInOrder(h);
});

Deno.test("doMmuextOp() changes base pointers and keeps their books", () => {
  const h = host();
  const [l4, other] = [h.dom0.mfnOf(1), own(h)];
  const base = (cmd: number, mfn: number) => xen.mmuextOp(h.hv, h.dom0, [{ cmd, mfn }]).rc;
  assertEquals(base(xen.MMUEXT_NEW_BASEPTR, h.dom0.mfnOf(2)), -22, "a level-3 table");
  assertEquals([base(xen.MMUEXT_NEW_BASEPTR, other), h.dom0.kernelBase], [0, other]);
  assertInOrder(h);
  assertEquals([base(xen.MMUEXT_NEW_USER_BASEPTR, l4), h.dom0.vcpu.userBase], [0, l4]);
  assertInOrder(h);
  assertEquals(base(xen.MMUEXT_NEW_USER_BASEPTR, 0), 0);
  assertEquals(base(xen.MMUEXT_NEW_BASEPTR, l4), 0);
  assertEquals(h.hv.frames.typeCount(other), 0);
  assertInOrder(h);
});

Deno.test("doMmuextOp() drops addresses where it should", () => {
  const h = host({ cpus: 2, dom0: { vcpus: 2 } });
  h.dom0.dirtyCpus.add(1);
  const linear = 0xffff880000001000;
  const drop = (cmd: number, vcpumask = 0) => {
    const before = h.cpus.map((cpu) => cpu.dropped.length);
    assertEquals(xen.mmuextOp(h.hv, h.dom0, [{ cmd, linear, vcpumask }]).rc, 0);
    return h.cpus.map((cpu, i) => cpu.dropped.length - before[i]!);
  };
  assertEquals(drop(xen.MMUEXT_INVLPG_LOCAL), [1, 0]);
  assertEquals(drop(xen.MMUEXT_INVLPG_ALL), [1, 1]);
  assertEquals(drop(xen.MMUEXT_INVLPG_MULTI, 2), [0, 1]);
  assertEquals(h.cpus[0]!.dropped[0], [0xffff8800 | 0, 0x1000]);
});

Deno.test("doUpdateVaMapping() stores by linear address and flushes as asked", () => {
  const { UVMF_TLB_FLUSH, UVMF_INVLPG, UVMF_ALL, UVMF_LOCAL, UVMF_NONE } = xen;
  const rows: [uvmf: number, rc: number, flushes: number[], dropped: number[]][] = [
    [UVMF_NONE, 0, [0, 0], [0, 0]],
    [UVMF_TLB_FLUSH | UVMF_LOCAL, 0, [1, 0], [0, 0]],
    [UVMF_TLB_FLUSH | UVMF_ALL, 0, [1, 1], [0, 0]],
    [UVMF_INVLPG | UVMF_LOCAL, 0, [0, 0], [1, 0]],
    [UVMF_INVLPG | UVMF_ALL, 0, [0, 0], [1, 1]],
    [UVMF_INVLPG | 0x1000, -14, [0, 0], [0, 0]],
    [3, 0, [0, 0], [0, 0]],
  ];
  for (const [uvmf, rc, flushes, dropped] of rows) {
    const h = host({ cpus: 2 });
    h.dom0.dirtyCpus.add(1);
    const before = h.cpus.map((cpu) => cpu.flushes);
    assertEquals(xen.updateVaMapping(h.hv, h.dom0, LINEAR, own(h), user, uvmf), rc);
    assertEquals(h.cpus.map((cpu, i) => cpu.flushes - before[i]!), flushes);
    assertEquals(h.cpus.map((cpu) => cpu.dropped.length), dropped);
    assertEquals(h.entry(0).frame, own(h));
    assertInOrder(h);
  }
  const h = host();
  assertEquals(xen.updateVaMapping(h.hv, h.dom0, 0x1000, own(h), user, 0), -22);
  assertEquals(xen.updateVaMapping(h.hv, h.dom0, LINEAR, h.guest.mfnOf(5), user, UVMF_TLB_FLUSH), -16);
});

Deno.test("multicall() enters once and runs every call", () => {
  const h = host();
  const mark = h.trace.mark();
  const results = xen.multicall(h.hv, h.dom0, [
    { op: "mmu_update", updates: [{ ptr: h.pte(0), frame: 2000, flags: user }] },
    { op: "update_va_mapping", va: LINEAR, frame: own(h), flags: user, uvmf: 0 },
    { op: "grant_table_op", cmd: 99, ops: [] },
    { op: "mmuext_op", ops: [{ cmd: xen.MMUEXT_TLB_FLUSH_ALL }] },
  ]);
  assertEquals(results.map(({ rc }) => rc), [-16, 0, -38, 0]);
  const seen = h.trace.since(mark);
  assertEquals([seen.hypercall, seen.multicall_entry, seen.mmu_update_op], [1, 4, 2]);
});
