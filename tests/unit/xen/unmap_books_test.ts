/**
 * The books of an unmap: locks, and which handle is left with which entry.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../../../lib/x86/pte.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { assertInOrder, grant, type Host, host, map, unmap, USER_PTE } from "./two_domains.ts";

const { GNTMAP_device_map: DEVICE } = xen;

Deno.test("unmapCommon() takes locks for the second pass only of what it unmapped", () => {
  const closed: Partial<xen.XsmPolicy> = { grantUnmapref: () => false };
  const rows: [
    rule: string,
    change: (h: Host, m: xen.GnttabMapGrantRef) => Partial<xen.GnttabUnmapGrantRef>,
    status: number,
    locks: number,
    xsm?: Partial<xen.XsmPolicy>,
  ][] = [
    ["control", () => ({}), 0, 2],
    ["one half", (_, m) => ({ host_addr: 0, dev_bus_addr: m.dev_bus_addr }), 0, 2],
    ["no address at all", () => ({ host_addr: 0 }), 0, 1],
    ["bad handle", () => ({ handle: 9 }), -4, 0],
    ["security module", () => ({}), -8, 0, closed],
    ["wrong bus address", (_, m) => ({ dev_bus_addr: m.dev_bus_addr + 4096 }), -6, 1],
    ["entry of nothing", (h) => ({ host_addr: h.pte(1) }), -1, 1],
  ];
  for (const [rule, change, status, locks, xsm] of rows) {
    const h = host({ flavour: { xsm: { ...xen.xsmDummy, ...xsm } } });
    grant(h, 1);
    const m = map(h, { flags: USER_PTE | DEVICE });
    const mark = h.trace.mark();
    const op = unmap(h, { host_addr: h.pte(0), handle: m.handle, ...change(h, m) });
    const { gt_lock = 0, active_lock = 0 } = h.trace.since(mark);
    assertEquals([op.status, gt_lock, active_lock], [status, locks, locks], rule);
    assertInOrder(h);
  }
});

Deno.test("unmapInBatches() counts no operation that cannot be read", () => {
  for (const bad of [null, undefined, 77]) {
    const h = host();
    const mark = h.trace.mark();
    const op = { host_addr: 0, dev_bus_addr: 0, handle: 9, status: 77 };
    const ops = [op, bad as null, { ...op }];
    assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, ops), -14, String(bad));
    assertEquals([op.status, ops[2]!.status, h.trace.since(mark).gnttab_op], [-4, 77, 1]);
  }
});

Deno.test("forgetHostPte() keeps the books of who can leak, whichever entry a guest names", () => {
  const destroy = (h: Host, i: number) =>
    assertEquals(xen.mmuUpdate(h.hv, h.dom0, [{ ptr: h.pte(i), frame: 0, flags: 0 }]).rc, 0);
  // A privileged domain may map a guest's page without its grant.
  const mapForeign = (h: Host, i: number) => {
    const flags = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
    const update = { ptr: h.pte(i), frame: h.guest.mfnOf(0), flags };
    assertEquals(xen.mmuUpdate(h.hv, h.dom0, [update], h.guest.domid).rc, 0);
  };
  /** Handles 0 and 1 map one grant by the entries 0 and 1. */
  interface Row {
    rule: string;
    given?: (h: Host) => void;
    handle: number;
    entry: number;
    /** Entry that the other handle is left with; "leaked": none. */
    other: number | "leaked";
    /** Handles whose pins leak, in the end, if the guest destroys every entry. */
    leaks: number[];
  }
  const rows: Row[] = [
    { rule: "control", handle: 0, entry: 0, other: 1, leaks: [1] },
    { rule: "handle 0 by the entry of 1", handle: 0, entry: 1, other: 0, leaks: [1] },
    { rule: "handle 1 by the entry of 0", handle: 1, entry: 0, other: 1, leaks: [0] },
    {
      rule: "by the other's entry, its own is destroyed",
      given: (h) => destroy(h, 0),
      handle: 0,
      entry: 1,
      other: "leaked",
      leaks: [0],
    },
    {
      rule: "by an entry that is no grant's",
      given: (h) => mapForeign(h, 3),
      handle: 0,
      entry: 3,
      other: 1,
      leaks: [1],
    },
    {
      rule: "by an entry that is no grant's, its own is destroyed",
      given: (h) => (destroy(h, 0), mapForeign(h, 3)),
      handle: 0,
      entry: 3,
      other: 1,
      leaks: [0, 1],
    },
  ];
  for (const { rule, given, handle, entry, other, leaks } of rows) {
    const h = host();
    grant(h, 1);
    for (const i of [0, 1]) assertEquals(map(h, { host_addr: h.pte(i) }).handle, i);
    given?.(h);
    assertEquals(unmap(h, { host_addr: h.pte(entry), handle }).status, 0, rule);
    const left = h.dom0.maptrack.hostPte(1 - handle);
    const grantMaps = () => h.hv.frames.grantMaps(h.guest.mfnOf(0));
    assertEquals([left, grantMaps()], other === "leaked" ? [-2, 0] : [h.pte(other), 1], rule);
    assertInOrder(h);
    for (const i of [0, 1, 3]) destroy(h, i);
    assertEquals([h.hv.leaks.map((leak) => leak.handle), grantMaps()], [leaks, 0], rule);
    assertInOrder(h);
  }
});
