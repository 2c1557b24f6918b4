import { assertEquals, assertThrows } from "@std/assert";
import { DomainCrash } from "../../../lib/core/crash.ts";
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../../../lib/x86/pte.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { copy, setVersion } from "./grant_writers.ts";
import { assertInOrder, grant, type Host, host, LINEAR, map, REF, unmap } from "./two_domains.ts";

const { GNTMAP_host_map: HOST, GNTMAP_device_map: DEVICE, GNTMAP_readonly: RO } = xen;
const MIXES: [name: string, flags: number][] = [
  ["host", HOST],
  ["host, read-only", HOST | RO],
  ["device", DEVICE],
  ["both", HOST | DEVICE],
  ["both, read-only", HOST | DEVICE | RO],
];

/** Nothing is left of two domains that are gone. */
function assertGone(h: Host): void {
  assertInOrder(h);
  assertEquals([h.hv.domains.size, h.hv.frames.nrOwned, h.hv.mem.framesWithContent], [0, 0, 0]);
}

for (const [name, flags] of MIXES) {
  Deno.test(`domainKill() of the granter, then the mapper, leaks nothing: ${name}`, () => {
    const h = host();
    grant(h, 2);
    map(h, { flags, host_addr: LINEAR });
    const mfn = h.guest.mfnOf(0);
    xen.domainKill(h.hv, h.guest);
    assertInOrder(h);
    assertEquals([h.guest.isDying, h.hv.frames.ownedBy(h.guest.domid)], [true, 1], "the page stays");
    assertEquals(h.hv.frames.owner(mfn), h.guest.domid);
    xen.domainKill(h.hv, h.dom0);
    assertGone(h);
  });

  Deno.test(`domainKill() of the mapper, then the granter, leaks nothing: ${name}`, () => {
    const h = host();
    grant(h, 2);
    map(h, { flags, host_addr: LINEAR });
    xen.domainKill(h.hv, h.dom0);
    assertInOrder(h);
    assertEquals([h.gtf(REF) & 0x18, h.guest.grantTable.pin[REF]], [0, 0], "the grant is free");
    xen.domainKill(h.hv, h.guest);
    assertGone(h);
  });

  Deno.test(`domainKill() of a translated mapper and granter leaks nothing: ${name}`, () => {
    if ((flags & DEVICE) !== 0) return;
    for (const first of [0, 1]) {
      const h = host();
      const [a, b] = ["pvh", "hvm"].map((kind) =>
        h.hv.createDomain({ kind: kind as xen.DomainKind, frames: 4 })
      );
      xen.grantAccess(a!, 8, { domid: b!.domid, frame: 2 });
      const op = { host_addr: 0x9000, flags, ref: 8, dom: a!.domid, status: 77, handle: 0, dev_bus_addr: 0 };
      xen.grantTableOp(h.hv, b!, xen.GNTTABOP_map_grant_ref, [op]);
      assertEquals([op.status, op.dev_bus_addr], [0, a!.mfnOf(2) * 4096]);
      assertInOrder(h);
      for (const domain of first === 0 ? [a!, b!] : [b!, a!]) {
        xen.domainKill(h.hv, domain);
        assertInOrder(h);
      }
      assertEquals([h.hv.domains.size, h.hv.frames.ownedBy(a!.domid), h.hv.frames.ownedBy(b!.domid)], [
        2,
        0,
        0,
      ]);
    }
  });
}

Deno.test("domainKill() leaves a granter known until its mapper unmaps", () => {
  const h = host();
  grant(h, 1);
  const m = map(h, { flags: DEVICE });
  xen.domainKill(h.hv, h.guest);
  assertEquals(map(h, { flags: DEVICE }).status, 0, "a pinned entry can be mapped again");
  assertEquals(map(h, { flags: DEVICE, ref: REF + 1 }).status, -1);
  assertEquals(unmap(h, { handle: 1, dev_bus_addr: m.dev_bus_addr }).status, 0);
  assertEquals(h.hv.domainById(h.guest.domid), h.guest);
  assertEquals(unmap(h, { handle: m.handle, dev_bus_addr: m.dev_bus_addr }).status, 0);
  assertEquals(h.hv.domainById(h.guest.domid), undefined);
  assertEquals(map(h, { flags: DEVICE }).status, -2);
  assertInOrder(h);
});

Deno.test("domainKill() of a granter with a leaked pin: the unmap that comes too late kills the mapper", () => {
  const h = host();
  grant(h, 1);
  const m = map(h);
  assertEquals(xen.updateVaMapping(h.hv, h.dom0, LINEAR, 0, 0, 0), 0);
  assertEquals(h.hv.leaks.length, 1);
  xen.domainKill(h.hv, h.guest);
  assertEquals(h.hv.domainById(h.guest.domid), undefined, "no reference holds the page");
  assertThrows(() => unmap(h, { handle: m.handle, host_addr: h.pte(0) }), DomainCrash);
});

Deno.test("domainKill() of the mapper frees a leaked pin", () => {
  const h = host();
  grant(h, 1);
  map(h);
  xen.updateVaMapping(h.hv, h.dom0, LINEAR, 0, 0, 0);
  assertEquals(h.gtf(REF), 0x19);
  xen.domainKill(h.hv, h.dom0);
  assertEquals([h.gtf(REF), h.guest.grantTable.pin[REF]], [1, 0]);
  assertInOrder(h);
});

Deno.test("domainKill() gives frames, also of a version-2 table, to the next domain, scrubbed", () => {
  const h = host();
  const owned = h.hv.frames.nrOwned;
  setVersion(h, h.guest, 2);
  h.hv.mem.fillFrame(h.guest.mfnOf(0), 0x5a);
  const first = h.guest.mfnOf(0);
  xen.domainKill(h.hv, h.guest);
  xen.domainKill(h.hv, h.guest);
  const next = h.hv.createDomain({ frames: 600 });
  assertEquals([next.domid, next.mfnOf(0), h.hv.mem.slotOf(first)], [1, first, -1]);
  assertEquals(h.hv.frames.nrOwned, owned);
  assertEquals(copy(h), -1, "no grants yet");
  assertInOrder(h);
});

Deno.test("translatedHostMap: what a translated mapper may ask, and gets", () => {
  const rows: [rule: string, op: Partial<xen.GnttabMapGrantRef>, expect: number][] = [
    ["control", {}, 0],
    ["read-only", { flags: HOST | RO }, 0],
    ["device", { flags: HOST | DEVICE }, -1],
    ["a guest frame with memory behind it", { host_addr: 0x1000 }, 0],
    ["last guest frame", { host_addr: (2 ** 36 - 1) * 4096 }, 0],
    ["first guest frame beyond", { host_addr: 2 ** 48 }, -1],
    ["paged out", { ref: 9 }, -12],
    ["a foreign frame of the granter's", { ref: 10 }, -9],
    ["a hole", { ref: 11 }, -9],
    ["a mapped grant of the granter's", { ref: 12 }, -1],
  ];
  for (const [rule, change, expect] of rows) {
    const h = host();
    const [a, b] = [0, 1].map(() => h.hv.createDomain({ kind: "pvh", frames: 4 }));
    a!.p2m!.set(1, -1, xen.p2m_ram_paged);
    assertEquals(
      xen.addToPhysmap(h.hv, h.hv.createDomain({ kind: "pvh", frames: 1, privileged: true, domid: 9 }), {
        space: xen.XENMAPSPACE_gmfn_foreign,
        idx: 0,
        gpfn: 50,
        foreign_domid: a!.domid,
      }),
      0,
    );
    h.hv.frames.getPage(b!.mfnOf(0), b!.domid);
    a!.p2m!.set(2, b!.mfnOf(0), xen.p2m_map_foreign);
    xen.grantAccess(b!, 8, { domid: a!.domid, frame: 1 });
    const inner = {
      host_addr: 3 * 4096,
      flags: HOST,
      ref: 8,
      dom: b!.domid,
      status: 77,
      handle: 0,
      dev_bus_addr: 0,
    };
    xen.grantTableOp(h.hv, a!, xen.GNTTABOP_map_grant_ref, [inner]);
    assertEquals(inner.status, 0);
    for (const [ref, frame] of [[8, 0], [9, 1], [10, 2], [11, 100], [12, 3]]) {
      xen.grantAccess(a!, ref!, { domid: b!.domid, frame: frame! });
    }
    const op = {
      host_addr: 0x50000,
      flags: HOST,
      ref: 8,
      dom: a!.domid,
      status: 77,
      handle: 77,
      dev_bus_addr: 77,
      ...change,
    };
    xen.grantTableOp(h.hv, b!, xen.GNTTABOP_map_grant_ref, [op]);
    assertEquals(op.status, expect, rule);
    assertInOrder(h);
    if (expect !== 0) continue;
    const gfn = op.host_addr / 4096;
    assertEquals(b!.p2m!.type(gfn), rule === "read-only" ? xen.p2m_grant_map_ro : xen.p2m_grant_map_rw);
    assertEquals(b!.p2m!.mfn(gfn), a!.mfnOf(0));
    const flushes = h.trace.count("flush_tlb_mask");
    const un = { host_addr: op.host_addr, dev_bus_addr: 0, handle: op.handle, status: 77 };
    for (
      const [wrong, status] of [[{ host_addr: 0x77000 }, -1], [{ host_addr: 0 }, 0], [{}, 0], [
        {},
        -4,
      ]] as const
    ) {
      const one = { ...un, ...wrong };
      xen.grantTableOp(h.hv, b!, xen.GNTTABOP_unmap_grant_ref, [one]);
      assertEquals(one.status, status, `${rule}: ${JSON.stringify(wrong)}`);
      assertInOrder(h);
    }
    assertEquals(h.trace.count("flush_tlb_mask") - flushes, 1, "the entry's own flush, none for the batch");
    assertEquals(b!.p2m!.type(gfn), xen.p2m_invalid);
  }
});

Deno.test("guestPhysmapAddEntry() kills a guest that maps over a live grant", () => {
  const h = host();
  const pvh = h.hv.createDomain({ kind: "pvh", frames: 4 });
  for (const ref of [8, 9]) xen.grantAccess(h.guest, ref, { domid: pvh.domid, frame: h.guest.mfnOf(ref) });
  const op = (ref: number) => ({
    host_addr: 0x50000,
    flags: HOST,
    ref,
    dom: h.guest.domid,
    status: 77,
    handle: 0,
    dev_bus_addr: 0,
  });
  assertEquals(xen.grantTableOp(h.hv, pvh, xen.GNTTABOP_map_grant_ref, [op(8)]), 0);
  assertThrows(() => xen.grantTableOp(h.hv, pvh, xen.GNTTABOP_map_grant_ref, [op(9)]), DomainCrash);
  assertInOrder(h);
});

Deno.test("a writable map of an external granter's frame takes no type, so it works for page tables too", () => {
  for (const [kind, status] of [["pv", -1], ["pvh", 0]] as const) {
    const h = host();
    const granter = h.hv.createDomain({ kind, frames: 8 });
    const mfn = granter.mfnOf(2);
    xen.grantAccess(granter, 8, { domid: 0, frame: kind === "pv" ? mfn : 2 });
    if (kind === "pv") {
      assertEquals(xen.mmuextOp(h.hv, granter, [{ cmd: xen.MMUEXT_PIN_L1_TABLE, mfn }]).rc, 0);
    }
    assertEquals(map(h, { dom: granter.domid }).status, status);
    assertEquals(h.hv.frames.typeCount(mfn), kind === "pv" ? 1 : 0);
    assertInOrder(h);
  }
});

Deno.test("mmuUpdate() finds a translated owner's frames by their guest numbers, unless told not to", () => {
  const FLAGS = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
  const h = host();
  const pvh = h.hv.createDomain({ kind: "pvh", frames: 8 });
  const update = (cmd: number, frame: number) =>
    xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(3) + cmd, frame, flags: FLAGS }], pvh.domid);
  assertEquals([update(0, 5).rc, h.entry(3).frame], [0, pvh.mfnOf(5)]);
  assertInOrder(h);
  assertEquals(update(0, 500).rc, -22, "no such guest frame");
  assertEquals([update(xen.MMU_PT_UPDATE_NO_TRANSLATE, pvh.mfnOf(6)).rc, h.entry(3).frame], [
    0,
    pvh.mfnOf(6),
  ]);
  assertInOrder(h);
});

Deno.test("addToPhysmap() shows a translated domain its grant table, growing it", () => {
  const h = host();
  const pvh = h.hv.createDomain({ kind: "pvh", frames: 4, maxGrantFrames: 3 });
  const add = (op: Partial<xen.AddToPhysmap>, caller = pvh) =>
    xen.addToPhysmap(h.hv, caller, { space: xen.XENMAPSPACE_grant_table, idx: 0, gpfn: 100, ...op });
  assertEquals([add({}), add({ idx: 2, gpfn: 101 }), add({ idx: 3 }), add({ space: 9 })], [0, 0, -22, -38]);
  assertEquals([pvh.grantTable.nrFrames, pvh.p2m!.mfn(101)], [3, pvh.grantTable.sharedFrames[2]]);
  assertEquals(add({ idx: xen.XENMAPIDX_grant_table_status }), -22, "no status frames in version 1");
  setVersion(h, pvh, 2);
  assertEquals(add({ idx: xen.XENMAPIDX_grant_table_status, gpfn: 102 }), 0);
  assertEquals(add({ idx: xen.XENMAPIDX_grant_table_status + 1, gpfn: 103 }), -22);
  assertEquals(pvh.p2m!.mfn(102), pvh.grantTable.statusFrames[0]);
  assertEquals(add({}, h.dom0), -38, "a paravirtual caller");
  const foreign = {
    space: xen.XENMAPSPACE_gmfn_foreign,
    gpfn: 200,
    foreign_domid: h.guest.domid,
    idx: h.guest.mfnOf(0),
  };
  assertEquals(add(foreign), -1, "not privileged");
  assertInOrder(h);
});

Deno.test("domainKill() lets others in after each page of handles, from the highest down", () => {
  const rows: [rule: string, mappings: number, flavour: xen.XenFlavour, points: number[]][] = [
    ["control: one page", 255, xen.xen4_17, []],
    ["a second page, hardly used", 256, xen.xen4_17, [256]],
    ["two pages", 511, xen.xen4_17, [256]],
    ["a third", 512, xen.xen4_17, [256, 512]],
    ["a release that does not look", 512, { ...xen.xen4_17, deathIsPreempted: false }, []],
  ];
  for (const [rule, mappings, flavour, points] of rows) {
    const h = host({ flavour });
    grant(h, 8);
    for (let i = 0; i < mappings; i++) {
      assertEquals(map(h, { flags: DEVICE | RO, host_addr: 0, ref: REF + i % 8 }).status, 0);
    }
    const seen: number[] = [];
    h.hv.preemption = {
      check: (point) => (assertEquals([point.cmd, point.caller], ["destroydomain", h.dom0]), true),
      whileAway: ({ done }) => {
        seen.push(done);
        assertEquals([h.hv.current, h.dom0.isDying], [null, true]);
        // What lies above is undone, what lies below is not.
        const { maptrack } = h.dom0;
        const at = maptrack.limit - done;
        assertEquals([maptrack.flags(at), maptrack.flags(at - 2) !== 0], [0, true]);
        assertEquals(xen.revokeGrant(h.guest, REF), "in-use");
        assertThrows(() => xen.saveHost(h.hv), RangeError, "a hypercall runs");
      },
    };
    const before = h.trace.count("hypercall");
    xen.domainKill(h.hv, h.dom0);
    assertEquals([seen, h.trace.count("hypercall") - before], [points, points.length], rule);
    h.hv.preemption = null;
    assertInOrder(h);
    assertEquals(xen.revokeGrant(h.guest, REF), "done");
    xen.domainKill(h.hv, h.guest);
    assertGone(h);
  }
});
