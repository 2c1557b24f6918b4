import { assertEquals } from "@std/assert";
import type { Maddr } from "../../../lib/core/frames.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { assertInOrder, grant, type Host, host, type HostOptions, LINEAR, map, REF } from "./two_domains.ts";

const { GNTMAP_host_map: HOST, GNTMAP_device_map: DEVICE, GNTMAP_readonly: RO } = xen;

/** One map of the guest's first grant; `given` breaks rules, `op` changes the operation. */
interface Row {
  rule: string;
  options?: HostOptions;
  given?: (h: Host) => void;
  op?: (h: Host) => Partial<xen.GnttabMapGrantRef>;
  expect: number;
}

const CLOSED: Partial<xen.XsmPolicy> = { grantMapref: () => false };

const ROWS: Row[] = [
  { rule: "control", expect: 0 },
  // 1
  { rule: "neither host nor device", op: () => ({ flags: RO }), expect: -3 },
  { rule: "an unknown flag alone", op: () => ({ flags: 1 << 10 }), expect: -3 },
  { rule: "an unknown flag beside a known one", op: () => ({ flags: DEVICE | 1 << 10 }), expect: 0 },
  { rule: "1 before 3", op: () => ({ flags: 0, dom: 999 }), expect: -3 },
  // 2: a translated mapper, as far as this check goes
  ...[DEVICE, HOST | xen.GNTMAP_application_map, HOST | xen.GNTMAP_contains_pte].map((flags): Row => ({
    rule: `translated mapper, flags ${flags}`,
    given: (h) => Object.defineProperty(h.dom0, "external", { value: true }),
    op: () => ({ flags, dom: 999 }),
    expect: -1,
  })),
  {
    rule: "translated mapper, plain host map: 2 holds, 3 answers",
    given: (h) => Object.defineProperty(h.dom0, "external", { value: true }),
    op: () => ({ flags: HOST, dom: 999 }),
    expect: -2,
  },
  // 3
  { rule: "no such domain", op: () => ({ dom: 999 }), expect: -2 },
  { rule: "DOMID_SELF", op: () => ({ dom: xen.DOMID_SELF }), expect: -2 },
  { rule: "DOMID_IO", op: () => ({ dom: xen.DOMID_IO }), expect: -2 },
  { rule: "DOMID_XEN", op: () => ({ dom: xen.DOMID_XEN }), expect: -2 },
  { rule: "domid is 16 bits wide", op: (h) => ({ dom: 0x10000 + h.guest.domid }), expect: 0 },
  {
    rule: "3 before 4",
    options: { flavour: { xsm: { ...xen.xsmDummy, ...CLOSED } } },
    op: () => ({ dom: 999 }),
    expect: -2,
  },
  // 4
  { rule: "security module", options: { flavour: { xsm: { ...xen.xsmDummy, ...CLOSED } } }, expect: -8 },
  {
    rule: "4 before 5",
    options: { flavour: { xsm: { ...xen.xsmDummy, ...CLOSED } }, dom0: { maxMaptrackFrames: 0 } },
    expect: -8,
  },
  // 5
  { rule: "no maptrack page", options: { dom0: { maxMaptrackFrames: 0 } }, expect: -13 },
  {
    rule: "no maptrack page, the status of older releases",
    options: { dom0: { maxMaptrackFrames: 0 }, flavour: { mapNoHandle: xen.GNTST_no_device_space } },
    expect: -7,
  },
  {
    rule: "5 before 6",
    options: { dom0: { maxMaptrackFrames: 0 } },
    op: () => ({ ref: 512 }),
    expect: -13,
  },
  // 6
  { rule: "last reference of the table, unused", op: () => ({ ref: 511 }), expect: -1 },
  {
    rule: "last reference of the table, granted",
    given: (h) => xen.grantAccess(h.guest, 511, { domid: 0, frame: h.guest.mfnOf(9) }),
    op: () => ({ ref: 511 }),
    expect: 0,
  },
  { rule: "first reference beyond the table", op: () => ({ ref: 512 }), expect: -3 },
  { rule: "reference of all ones", op: () => ({ ref: 0xffffffff }), expect: -3 },
  { rule: "reference -1 is all ones", op: () => ({ ref: -1 }), expect: -3 },
  { rule: "reference NaN is 0, reserved and free", op: () => ({ ref: NaN }), expect: -1 },
  // 7
  {
    rule: "in use by another domain",
    given: (h) => {
      const other = h.hv.createDomain({ frames: 1 });
      xen.grantAccess(h.guest, REF, { domid: other.domid, frame: h.guest.mfnOf(0) });
      const op = { ...device(h, RO), status: 77 };
      xen.grantTableOp(h.hv, other, xen.GNTTABOP_map_grant_ref, [op]);
      assertEquals(op.status, 0);
    },
    op: () => ({ flags: HOST | RO, host_addr: LINEAR }),
    expect: -1,
  },
  // 8
  { rule: "entry for another domain", given: (h) => grant(h, 1, { domid: 5 }), expect: -1 },
  { rule: "free entry", given: (h) => h.hv.mem.write16(h.guest.grantTable.entry(REF), 0), expect: -1 },
  { rule: "type accept_transfer", given: (h) => entryFlags(h, xen.GTF_accept_transfer), expect: -1 },
  { rule: "type transitive", given: (h) => entryFlags(h, xen.GTF_transitive), expect: -1 },
  { rule: "sub-page", given: (h) => entryFlags(h, xen.GTF_permit_access | xen.GTF_sub_page), expect: -1 },
  { rule: "cache bits do not matter", given: (h) => entryFlags(h, xen.GTF_permit_access | 0xe0), expect: 0 },
  {
    rule: "stale in-use bits do not matter",
    given: (h) => entryFlags(h, xen.GTF_permit_access | xen.GTF_reading | xen.GTF_writing),
    expect: 0,
  },
  { rule: "read-only grant, writable map", given: (h) => grant(h, 1, { readonly: true }), expect: -1 },
  {
    rule: "read-only grant, read-only map",
    given: (h) => grant(h, 1, { readonly: true }),
    op: () => ({ flags: HOST | RO, host_addr: LINEAR }),
    expect: 0,
  },
  {
    rule: "8 before 9",
    given: (h) => xen.grantAccess(h.guest, REF, { domid: 0, frame: 0xfffff, readonly: true }),
    expect: -1,
  },
  // 9
  { rule: "frame of the mapper", given: (h) => frame(h, h.dom0.mfnOf(9)), expect: -9 },
  { rule: "frame of nobody", given: (h) => frame(h, 2000), expect: -9 },
  { rule: "frame beyond memory", given: (h) => frame(h, 4096), expect: -9 },
  { rule: "frame of all ones", given: (h) => frame(h, 0xffffffff), expect: -9 },
  { rule: "9 before 14", given: (h) => frame(h, 2000), op: () => ({ host_addr: 4 }), expect: -9 },
  // 11, 12: its page left the granter behind the back of a leaked pin
  { rule: "frame of nobody by now", given: (h) => leakThenGive(h, 999), expect: -1 },
  {
    rule: "frame of the mapper by now",
    options: { dom0: { maxPages: 65 } },
    given: (h) => leakThenGive(h, 0),
    expect: -1,
  },
  // 13
  { rule: "page table of the granter, writable", given: (h) => pinGuestTable(h), expect: -1 },
  {
    rule: "page table of the granter, writable for a device",
    given: (h) => pinGuestTable(h),
    op: () => ({ flags: DEVICE, host_addr: 0 }),
    expect: -1,
  },
  {
    rule: "page table of the granter, read-only",
    given: (h) => pinGuestTable(h),
    op: () => ({ flags: HOST | RO, host_addr: LINEAR }),
    expect: 0,
  },
  // 14
  ...[HOST, HOST | RO, HOST | DEVICE, HOST | DEVICE | RO].flatMap((flags): Row[] => [
    { rule: `no table for the host half, flags ${flags}`, op: () => ({ flags, host_addr: 4 }), expect: -1 },
    {
      rule: `no table for the host half, flags ${flags}, beside a reader`,
      given: (h) => map(h, { flags: HOST | RO, host_addr: LINEAR }),
      op: () => ({ flags, host_addr: 4 }),
      expect: -1,
    },
  ]),
  { rule: "entry address not a multiple of 8", op: (h) => ({ host_addr: h.pte(0) + 4 }), expect: -1 },
  {
    rule: "entry in a page that is no table",
    op: (h) => ({ host_addr: h.dom0.mfnOf(9) * 4096 }),
    expect: -1,
  },
  { rule: "entry in a level-2 table", op: (h) => ({ host_addr: h.dom0.mfnOf(3) * 4096 }), expect: -1 },
  {
    rule: "entry in a frame of the granter",
    op: (h) => ({ host_addr: h.guest.mfnOf(3) * 4096 }),
    expect: -1,
  },
  { rule: "entry beyond memory", op: () => ({ host_addr: 1099511623680 }), expect: -1 },
  { rule: "last entry of the table", op: (h) => ({ host_addr: h.pte(511) }), expect: 0 },
  { rule: "linear address", op: () => ({ flags: HOST, host_addr: LINEAR + 0x5000 }), expect: 0 },
  { rule: "linear address without a table", op: () => ({ flags: HOST, host_addr: 0x1000 }), expect: -1 },
  { rule: "last linear address of the table", op: () => ({ flags: HOST, host_addr: 0x3ff000 }), expect: 0 },
  { rule: "first linear address behind it", op: () => ({ flags: HOST, host_addr: 0x400000 }), expect: -1 },
  { rule: "linear address of Xen", op: () => ({ flags: HOST, host_addr: 0xffff82d040200000 }), expect: -1 },
  {
    rule: "linear address not canonical",
    op: () => ({ flags: HOST, host_addr: 2 ** 47 + LINEAR }),
    expect: -1,
  },
];

function entryFlags(h: Host, flags: number): void {
  h.hv.mem.write16(h.guest.grantTable.entry(REF), flags);
}

function frame(h: Host, mfn: number): void {
  h.hv.mem.write32((h.guest.grantTable.entry(REF) + 4) as Maddr, mfn);
}

/** The granted frame becomes an (empty) page table. */
function pinGuestTable(h: Host): void {
  const { rc } = xen.mmuextOp(h.hv, h.guest, [{ cmd: xen.MMUEXT_PIN_L1_TABLE, mfn: h.guest.mfnOf(0) }]);
  assertEquals(rc, 0);
}

/** A mapping whose entry the guest destroys leaves a pin and no reference; then its granter gives the page away. */
function leakThenGive(h: Host, domid: number): void {
  assertEquals(map(h, { host_addr: h.pte(1) }).status, 0);
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(1), frame: 0, flags: 0 }]).rc, 0);
  h.hv.mem.write32(h.dom0.grantTable.entry(8), (h.guest.domid << 16 | xen.GTF_accept_transfer) >>> 0);
  const op = { mfn: h.guest.mfnOf(0), domid, ref: 8, status: 77 };
  assertEquals(xen.grantTableOp(h.hv, h.guest, xen.GNTTABOP_transfer, [op]), 0);
  assertEquals(op.status, domid === 0 ? 0 : -2);
}

function device(h: Host, flags = 0): xen.GnttabMapGrantRef {
  return {
    host_addr: 0,
    flags: DEVICE | flags,
    ref: REF,
    dom: h.guest.domid,
    status: 77,
    handle: 77,
    dev_bus_addr: 77,
  };
}

for (const row of ROWS) {
  Deno.test(`mapGrantRef() answers ${xen.statusName(row.expect)}: ${row.rule}`, () => {
    const h = host(row.options);
    grant(h, 1);
    row.given?.(h);
    const gtf = h.gtf(REF);
    const live = h.dom0.maptrack.live;
    const op = map(h, row.op?.(h) ?? {});
    assertEquals(op.status, row.expect);
    if (row.expect !== 0) {
      assertEquals([op.handle, op.dev_bus_addr], [77, 77], "outputs are untouched");
      assertEquals(h.dom0.maptrack.live, live, "the handle went back");
      assertEquals(h.gtf(REF), gtf, "the entry is as it was");
    }
    assertInOrder(h);
  });
}

Deno.test("mapGrantRef() writes the entry that recorded systems show", () => {
  const rows: [change: Partial<xen.GnttabMapGrantRef>, low: number, high: number][] = [
    [{}, 0x367, 0x800],
    [{ flags: HOST | RO | xen.GNTMAP_application_map | xen.GNTMAP_contains_pte | 1 << 16 }, 0x365, 0x800],
    // a kernel mapping: no global bit, software bit 52
    [{ flags: HOST | xen.GNTMAP_contains_pte }, 0x067, 0x801],
  ];
  for (const [change, low, high] of rows) {
    const h = host();
    grant(h, 1);
    const op = map(h, change);
    assertEquals(op.status, 0);
    assertEquals(op.dev_bus_addr, h.guest.mfnOf(0) * 4096);
    assertEquals(h.entry(0), { frame: h.guest.mfnOf(0), flags: high << 12 | low });
  }
});

Deno.test("mapGrantRef() pins twice when a grant is mapped for user and kernel, and shows 0x19", () => {
  const h = host();
  grant(h, 1);
  const user = map(h);
  const kernel = map(h, { flags: HOST, host_addr: LINEAR + 0x1000 });
  assertEquals([user.status, kernel.status], [0, 0]);
  assertEquals(xen.describePin(h.guest.grantTable.pin[REF]!), { hstw: 2, hstr: 0, devw: 0, devr: 0 });
  assertEquals(h.gtf(REF), 0x19);
  // allocation, and one each for the two mappings
  assertEquals(h.hv.frames.count(h.guest.mfnOf(0)), 3);
  assertEquals(h.hv.frames.typeCount(h.guest.mfnOf(0)), 2);
  assertEquals(unmap(h, user, h.pte(0)).status, 0);
  assertEquals(h.gtf(REF), 0x19);
  assertEquals(unmap(h, kernel, LINEAR + 0x1000).status, 0);
  assertEquals(h.gtf(REF), 1);
  assertInOrder(h);
});

function unmap(h: Host, op: xen.GnttabMapGrantRef, host_addr: number): xen.GnttabUnmapGrantRef {
  const un = { host_addr, dev_bus_addr: 0, handle: op.handle, status: 77 };
  xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, [un]);
  return un;
}

Deno.test("mapGrantRef() refuses a kind of pin whose top bit is set, and no other kind", () => {
  const kinds: [name: "hstw" | "hstr" | "devw" | "devr", flags: number, other: number][] = [
    ["hstw", HOST, HOST | RO],
    ["hstr", HOST | RO, HOST],
    ["devw", DEVICE, DEVICE | RO],
    ["devr", DEVICE | RO, DEVICE],
  ];
  for (const [kind, flags, other] of kinds) {
    const h = host();
    grant(h, 1);
    const status = (f: number, i: number) => map(h, { flags: f, host_addr: LINEAR + i * 4096 }).status;
    for (let i = 0; i < 127; i++) assertEquals(status(flags, i), 0);
    const pin = () => xen.describePin(h.guest.grantTable.pin[REF]!)[kind];
    assertEquals(pin(), 127);
    assertEquals(status(flags, 127), 0);
    assertEquals(pin(), 128);
    assertEquals(status(flags, 128), -1, kind);
    assertEquals(status(other, 129), 0, "the other counters have room");
    assertEquals(status(flags | HOST | DEVICE, 130), -1, "one full counter of two is enough");
    assertInOrder(h);
  }
});

Deno.test("mapGrantRef() serves a grant in use by its recorded frame, whatever the entry says", () => {
  const h = host();
  grant(h, 1);
  map(h);
  h.hv.mem.write32(h.guest.grantTable.entry(REF), 0);
  frame(h, 0xfffff);
  const again = map(h, { host_addr: h.pte(1) });
  assertEquals([again.status, again.dev_bus_addr], [0, h.guest.mfnOf(0) * 4096]);
  assertInOrder(h, { guestsBehave: false });
});

Deno.test("mapGrantRef() looks at the readonly flag again when a reader becomes a writer", () => {
  for (const [readonly, expect] of [[true, -1], [false, 0]] as const) {
    const h = host();
    grant(h, 1, { readonly });
    assertEquals(map(h, { flags: HOST | RO, host_addr: LINEAR }).status, 0);
    assertEquals(h.gtf(REF) & 0x18, 0x08);
    assertEquals(map(h, { flags: HOST, host_addr: LINEAR + 4096 }).status, expect);
    assertInOrder(h);
  }
});

Deno.test("mapGrantRef() gives up on an entry that changes at each of five attempts", () => {
  for (const [changes, expect] of [[4, 0], [5, -1]] as const) {
    const h = host();
    grant(h, 1);
    let left: number = changes;
    h.guest.grantTable.race = () => {
      if (left-- <= 0) return;
      const entry = h.guest.grantTable.entry(REF);
      h.hv.mem.write16(entry, h.hv.mem.read16(entry) ^ 0x20);
    };
    assertEquals(map(h).status, expect);
    assertInOrder(h);
  }
});

Deno.test("mapGrantRef() drops what the entry held before", () => {
  const h = host();
  grant(h, 1);
  const own = h.dom0.mfnOf(20);
  assertEquals(xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame: own, flags: 0x67 }]).rc, 0);
  assertEquals(h.hv.frames.count(own), 2);
  assertEquals(map(h).status, 0);
  assertEquals(h.hv.frames.count(own), 1);
  assertEquals(h.hv.frames.typeCount(own), 0);
  assertInOrder(h);
});

Deno.test("mapGrantRef() counts two table locks and two entry locks only when it undoes", () => {
  const h = host();
  grant(h, 1);
  let mark = h.trace.mark();
  map(h);
  let seen = h.trace.since(mark);
  assertEquals([seen.hypercall, seen.gnttab_op, seen.gt_lock, seen.active_lock], [1, 1, 1, 1]);
  assertEquals([seen.entry_cmpxchg, seen.maptrack_op, seen.xen_pte_write, seen.flush_tlb_mask], [
    1,
    1,
    1,
    undefined,
  ]);
  mark = h.trace.mark();
  map(h, { host_addr: 4 });
  seen = h.trace.since(mark);
  assertEquals([seen.gt_lock, seen.active_lock, seen.maptrack_op], [2, 2, 2]);
});

Deno.test("grantTableOp() goes on after a bad element", () => {
  const h = host();
  grant(h, 2);
  const ops = [device(h), { ...device(h), ref: 3000 }, { ...device(h), ref: REF + 1 }];
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_map_grant_ref, ops), 0);
  assertEquals(ops.map((op) => op.status), [0, -3, 0]);
  assertInOrder(h);
});
