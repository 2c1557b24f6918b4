import { assertEquals, assertThrows } from "@std/assert";
import { DomainCrash } from "../../../lib/core/crash.ts";
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_SPECIAL } from "../../../lib/x86/pte.ts";
import * as xen from "../../../lib/xen/mod.ts";
import {
  assertInOrder,
  grant,
  type Host,
  host,
  type HostOptions,
  LINEAR,
  map,
  REF,
  store,
  unmap,
  USER_PTE,
} from "./two_domains.ts";

const { GNTMAP_host_map: HOST, GNTMAP_device_map: DEVICE, GNTMAP_readonly: RO } = xen;

/** One unmap of a mapping made with `flags` (entry 0 of the table). */
interface Row {
  rule: string;
  options?: HostOptions;
  flags?: number;
  given?: (h: Host) => void;
  op?: (h: Host, m: xen.GnttabMapGrantRef) => Partial<xen.GnttabUnmapGrantRef>;
  expect: number;
  /** Flags that maptrack shows afterwards; 0: the handle is free. */
  left: number;
}

const BOTH = USER_PTE | DEVICE;
const wrongBus = (_: Host, m: xen.GnttabMapGrantRef) => ({ dev_bus_addr: m.dev_bus_addr + 4096 });
const noUnmap: Partial<xen.XsmPolicy> = { grantUnmapref: () => false };
/** Flags as maptrack keeps them: 16 bits. */
const kept = (flags: number) => flags & 0xffff;

const ROWS: Row[] = [
  { rule: "control", expect: 0, left: 0 },
  // 1
  { rule: "last handle, unused", op: () => ({ handle: 255 }), expect: -4, left: kept(USER_PTE) },
  { rule: "first handle beyond maptrack", op: () => ({ handle: 256 }), expect: -4, left: kept(USER_PTE) },
  { rule: "handle -1", op: () => ({ handle: -1 }), expect: -4, left: kept(USER_PTE) },
  { rule: "handle is 32 bits wide", op: (_, m) => ({ handle: m.handle + 2 ** 32 }), expect: 0, left: 0 },
  // 2
  {
    rule: "handle unmapped before",
    given: (h) => unmap(h, { host_addr: h.pte(0), handle: 0 }),
    expect: -4,
    left: 0,
  },
  // 4
  {
    rule: "security module",
    options: { flavour: { xsm: { ...xen.xsmDummy, ...noUnmap } } },
    expect: -8,
    left: kept(USER_PTE),
  },
  {
    rule: "2 before 4",
    options: { flavour: { xsm: { ...xen.xsmDummy, ...noUnmap } } },
    op: () => ({ handle: 7 }),
    expect: -4,
    left: kept(USER_PTE),
  },
  {
    rule: "4 before 7",
    options: { flavour: { xsm: { ...xen.xsmDummy, ...noUnmap } } },
    flags: BOTH,
    op: wrongBus,
    expect: -8,
    left: kept(BOTH),
  },
  // 7
  { rule: "wrong bus address", flags: BOTH, op: wrongBus, expect: -6, left: kept(BOTH) },
  {
    rule: "wrong bus address, the status of older releases",
    options: { flavour: { unmapWrongBusAddress: xen.GNTST_general_error } },
    flags: BOTH,
    op: wrongBus,
    expect: -1,
    left: kept(BOTH),
  },
  { rule: "bus address of a mapping without device half", op: wrongBus, expect: 0, left: 0 },
  {
    rule: "7 before 8",
    flags: BOTH,
    op: (h, m) => ({ ...wrongBus(h, m), host_addr: 4 }),
    expect: -6,
    left: kept(BOTH),
  },
  {
    rule: "right bus address, host left",
    flags: BOTH,
    op: (_, m) => ({ host_addr: 0, dev_bus_addr: m.dev_bus_addr }),
    expect: 0,
    left: kept(USER_PTE),
  },
  {
    rule: "host unmapped, device left",
    flags: BOTH,
    op: () => ({ dev_bus_addr: 0 }),
    expect: 0,
    left: kept(BOTH & ~HOST),
  },
  {
    rule: "both halves at once",
    flags: BOTH,
    op: (_, m) => ({ dev_bus_addr: m.dev_bus_addr }),
    expect: 0,
    left: 0,
  },
  { rule: "entry of a mapping without host half", flags: DEVICE, expect: 0, left: DEVICE },
  { rule: "no address at all", op: () => ({ host_addr: 0 }), expect: 0, left: kept(USER_PTE) },
  // 8
  { rule: "misaligned entry", op: (h) => ({ host_addr: h.pte(0) + 4 }), expect: -1, left: kept(USER_PTE) },
  { rule: "entry of nothing", op: (h) => ({ host_addr: h.pte(1) }), expect: -1, left: kept(USER_PTE) },
  {
    rule: "entry of another frame",
    given: (h) => map(h, { host_addr: h.pte(1), ref: REF + 1 }),
    op: (h) => ({ host_addr: h.pte(1) }),
    expect: -1,
    left: kept(USER_PTE),
  },
  {
    rule: "entry of the same frame, other handle: taken",
    given: (h) => map(h, { host_addr: h.pte(1) }),
    op: (h) => ({ host_addr: h.pte(1) }),
    expect: 0,
    left: 0,
  },
  {
    rule: "entry of the same frame with other rights",
    given: (h) => map(h, { host_addr: h.pte(1), flags: USER_PTE | RO }),
    op: (h) => ({ host_addr: h.pte(1) }),
    expect: -1,
    left: kept(USER_PTE),
  },
  {
    rule: "software bits changed by the guest",
    given: (h) => {
      const { frame, flags } = h.entry(0);
      const update = { ptr: h.pte(0), frame, flags: flags & ~_PAGE_SPECIAL };
      assertEquals(xen.mmuUpdate(h.hv, h.dom0, [update]).rc, 0);
    },
    expect: 0,
    left: 0,
  },
  {
    rule: "read-only",
    flags: USER_PTE | RO,
    expect: 0,
    left: 0,
  },
];

for (const row of ROWS) {
  Deno.test(`unmapCommon() answers ${xen.statusName(row.expect)}: ${row.rule}`, () => {
    const h = host(row.options);
    grant(h, 2);
    const m = map(h, { flags: row.flags ?? USER_PTE });
    assertEquals([m.status, m.handle], [0, 0]);
    row.given?.(h);
    const op = unmap(h, { host_addr: h.pte(0), handle: m.handle, ...row.op?.(h, m) });
    assertEquals(op.status, row.expect);
    assertEquals(h.dom0.maptrack.flags(m.handle), row.left);
    assertInOrder(h);
  });
}

Deno.test("unmapInBatches() flushes once per 32 operations, whatever became of them", () => {
  for (const [n, flushes] of [[0, 0], [1, 1], [31, 1], [32, 1], [33, 2], [64, 2], [65, 3]] as const) {
    for (const good of [true, false]) {
      const h = host({ cpus: 3, dom0: { vcpus: 3 } });
      grant(h, n);
      const ops = Array.from({ length: n }, (_, i) => {
        const m = map(h, { ref: REF + i, host_addr: h.pte(i) });
        return { host_addr: h.pte(i), dev_bus_addr: 0, handle: good ? m.handle : 9999, status: 77 };
      });
      h.dom0.dirtyCpus.add(2);
      const before = h.cpus.map((cpu) => cpu.flushes);
      const mark = h.trace.mark();
      assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, ops), 0);
      const seen = h.trace.since(mark);
      assertEquals(ops.map((op) => op.status), ops.map(() => good ? 0 : -4));
      assertEquals(seen.flush_tlb_mask ?? 0, flushes);
      assertEquals(seen.ipi ?? 0, flushes, "one remote CPU");
      assertEquals(h.cpus.map((cpu, i) => cpu.flushes - before[i]!), [flushes, 0, flushes]);
      assertInOrder(h);
    }
  }
});

Deno.test("unmapInBatches() keeps pin and in-use bits until the TLBs are clean", () => {
  const seen: unknown[] = [];
  const h = host({
    flavour: {
      flush: {
        ...xen.flushPerBatch,
        betweenPasses: () =>
          seen.push([
            h.entry(0).flags,
            h.gtf(REF),
            h.guest.grantTable.pin[REF],
            h.hv.frames.count(h.guest.mfnOf(0)),
          ]),
      },
    },
  });
  grant(h, 1);
  const m = map(h);
  unmap(h, { host_addr: h.pte(0), handle: m.handle });
  assertEquals(seen, [[0, 0x19, 1, 2]]);
  assertEquals([h.gtf(REF), h.guest.grantTable.pin[REF], h.hv.frames.count(h.guest.mfnOf(0))], [1, 0, 1]);
});

Deno.test("unmapInBatches() flushes and completes what was done when an element cannot be read", () => {
  const h = host();
  grant(h, 2);
  const one = map(h);
  const two = map(h, { ref: REF + 1, host_addr: h.pte(1) });
  const op = { host_addr: h.pte(0), dev_bus_addr: 0, handle: one.handle, status: 77 };
  const late = { host_addr: h.pte(1), dev_bus_addr: 0, handle: two.handle, status: 77 };
  const mark = h.trace.mark();
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, [op, null, late]), -14);
  assertEquals([op.status, late.status], [0, 77]);
  assertEquals(h.trace.since(mark).flush_tlb_mask, 1);
  assertEquals([h.gtf(REF), h.gtf(REF + 1)], [1, 0x19]);
  assertInOrder(h);
});

Deno.test("unmapCommon() reduces the in-use bits as users leave", () => {
  const h = host();
  grant(h, 1);
  const w = map(h);
  const r = map(h, { host_addr: h.pte(1), flags: USER_PTE | RO });
  assertEquals(h.gtf(REF), 0x19);
  unmap(h, { host_addr: h.pte(0), handle: w.handle });
  assertEquals(h.gtf(REF), 0x09, "a reader is left");
  assertEquals(xen.endAccess(h.guest, REF), false);
  unmap(h, { host_addr: h.pte(1), handle: r.handle });
  assertEquals(h.gtf(REF), 0x01);
  assertEquals(xen.endAccess(h.guest, REF), true);
  assertEquals(h.gtf(REF), 0);
  assertInOrder(h);
});

Deno.test("reduceStatus() leaves a stale writing bit alone when a reader leaves", () => {
  for (const [flags, left] of [[USER_PTE | RO, 0x11], [USER_PTE, 0x01]] as const) {
    const h = host();
    grant(h, 1);
    h.hv.mem.write16(h.guest.grantTable.entry(REF), 0x19);
    const m = map(h, { flags });
    assertEquals(h.gtf(REF), 0x19);
    unmap(h, { host_addr: h.pte(0), handle: m.handle });
    assertEquals(h.gtf(REF), left);
  }
});

Deno.test("unmapCommon() crashes the caller if the granter is gone, after flush and second pass of the others", () => {
  const h = host();
  grant(h, 1);
  const good = map(h);
  const other = h.hv.createDomain({ frames: 2 });
  xen.grantAccess(other, REF, { domid: 0, frame: other.mfnOf(0) });
  const orphan = map(h, { dom: other.domid, host_addr: h.pte(1) });
  h.hv.domains.delete(other.domid);
  const ops = [
    { host_addr: h.pte(1), dev_bus_addr: 0, handle: orphan.handle, status: 77 },
    { host_addr: h.pte(0), dev_bus_addr: 0, handle: good.handle, status: 77 },
  ];
  const call = () => xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, ops);
  assertThrows(
    call,
    DomainCrash,
    "domain 0 crashed in unmap_common: handle 1 maps a grant of domain 2, which does not exist",
  );
  assertEquals(ops.map((op) => op.status), [77, 0]);
  assertEquals(h.gtf(REF), 1);
  assertThrows(() => xen.mmuUpdate(h.hv, h.dom0, []), DomainCrash);
});

Deno.test("gnttabUnmapAndReplace() moves the entry of another linear address", () => {
  const h = host();
  grant(h, 1);
  const own = h.dom0.mfnOf(20);
  xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(5), frame: own, flags: _PAGE_PRESENT | _PAGE_RW }]);
  const stored = h.entry(5);
  const m = map(h, { flags: HOST, host_addr: LINEAR });
  const op = { host_addr: LINEAR, new_addr: LINEAR + 0x5000, handle: m.handle, status: 77 };
  assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_and_replace, [op]), 0);
  assertEquals(op.status, 0);
  assertEquals([h.entry(0), h.entry(5)], [stored, { frame: 0, flags: 0 }]);
  assertEquals(h.hv.frames.count(own), 2);
  assertInOrder(h);
});

Deno.test("gnttabUnmapAndReplace() refuses mappings by entry, and loses the stolen entry when it fails late", () => {
  const h = host();
  grant(h, 1);
  const own = h.dom0.mfnOf(20);
  xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(5), frame: own, flags: _PAGE_PRESENT | _PAGE_RW }]);
  const byEntry = map(h);
  const byAddress = map(h, { flags: HOST, host_addr: LINEAR + 0x1000 });
  const rows: [Partial<xen.GnttabUnmapAndReplace>, boolean][] = [
    [{ host_addr: h.pte(0), handle: byEntry.handle }, false],
    [{ new_addr: 0x1000 }, false],
    [{ host_addr: LINEAR + 0x2000 }, true],
  ];
  for (const [change, isLost] of rows) {
    const op = {
      host_addr: LINEAR + 0x1000,
      new_addr: LINEAR + 0x5000,
      handle: byAddress.handle,
      status: 77,
      ...change,
    };
    assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_and_replace, [op]), 0);
    assertEquals(op.status, -1);
    assertEquals(h.hv.frames.count(own), isLost ? 1 : 2);
    assertInOrder(h);
  }
});

Deno.test("putPageFromL1e() leaves a leaked pin when the guest clears a grant's entry itself", () => {
  for (const [build, faults] of [[xen.releaseBuild, 0], [xen.debugBuild, 1]] as const) {
    const h = host({ flavour: { build } });
    grant(h, 1);
    const m = map(h);
    assertEquals(xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame: 0, flags: 0 }]), { rc: 0, done: 1 });
    const mfn = h.guest.mfnOf(0);
    assertEquals(h.hv.leaks, [
      { mapper: 0, handle: m.handle, granter: h.guest.domid, ref: REF, mfn, pte: h.pte(0) },
    ]);
    assertEquals(h.hv.injected.length, faults);
    assertEquals([h.hv.frames.count(mfn), h.guest.grantTable.pin[REF], h.gtf(REF)], [1, 1, 0x19]);
    assertEquals(unmap(h, { host_addr: h.pte(0), handle: m.handle }).status, -1);
    assertEquals(xen.endAccess(h.guest, REF), false);
    assertInOrder(h);
  }
});

Deno.test("putPageFromL1e() leaks every grant of a table that goes", () => {
  const h = host();
  grant(h, 2);
  const l1 = h.dom0.mfnOf(10);
  const [l2] = [h.dom0.mfnOf(3)];
  xen.mmuUpdate(h.hv, h.dom0, [{ ptr: l2 * 4096 + 16, frame: l1, flags: _PAGE_PRESENT | _PAGE_RW }]);
  for (const i of [0, 1]) map(h, { ref: REF + i, host_addr: l1 * 4096 + i * 8 });
  xen.mmuUpdate(h.hv, h.dom0, [{ ptr: l2 * 4096 + 16, frame: 0, flags: 0 }]);
  assertEquals(h.hv.leaks.map((leak) => leak.ref), [REF, REF + 1]);
  assertInOrder(h);
});

Deno.test("forgetHostPte() follows the entry when a guest swaps two mappings of one frame", () => {
  const h = host();
  grant(h, 1);
  const a = map(h);
  const b = map(h, { host_addr: h.pte(1) });
  assertEquals(unmap(h, { host_addr: h.pte(1), handle: a.handle }).status, 0);
  assertEquals(h.dom0.maptrack.hostPte(b.handle), h.pte(0));
  xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(0), frame: 0, flags: 0 }]);
  assertEquals(h.hv.leaks.map((leak) => leak.handle), [b.handle]);
  assertInOrder(h);
});

Deno.test("validateXen() sees broken books", () => {
  const breakIt: [xen.XenViolation["rule"], (h: Host) => void][] = [
    ["pin-count", (h) => h.guest.grantTable.pin[REF]!++],
    ["pinned-user", (h) => h.guest.grantTable.domid[REF] = 9],
    ["entry-bits", (h) => h.hv.mem.write16(h.guest.grantTable.entry(REF), 1)],
    ["reference-count", (h) => h.hv.frames.getPage(h.guest.mfnOf(0), h.guest.domid)],
    ["type-count", (h) => h.hv.frames.info.dropTypeCount(h.hv.frames.rowOf(h.guest.mfnOf(0)))],
    ["host-pte", (h) => store(h.hv, h.dom0.mfnOf(4), 0, 0, 0)],
    ["maptrack-list", (h) => h.dom0.maptrack.get(0)],
  ];
  for (const [rule, step] of breakIt) {
    const h = host();
    grant(h, 1);
    map(h);
    assertInOrder(h);
    step(h);
    assertEquals(xen.validateXen(h.hv).some((v) => v.rule === rule), true, rule);
  }
});
