/**
 * The books of a map: what it takes of frame and entry, what it writes, what runs beside it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Maddr } from "../../../lib/core/frames.ts";
import * as xen from "../../../lib/xen/mod.ts";
import { copy, setVersion, writeV2 } from "./grant_writers.ts";
import { assertInOrder, grant, host, LINEAR, map, mapOp, REF } from "./two_domains.ts";

const { GNTMAP_host_map: HOST, GNTMAP_device_map: DEVICE, GNTMAP_readonly: RO } = xen;

Deno.test("mapGrantRef() takes a reference for each half, a use as writable page for each that writes", () => {
  // What is taken beside the allocation's reference, and what is left when the device half has gone.
  const rows: [flags: number, taken: [refs: number, uses: number], left: [refs: number, uses: number]][] = [
    [HOST, [1, 1], [1, 1]],
    [HOST | RO, [1, 0], [1, 0]],
    [DEVICE, [1, 1], [0, 0]],
    [DEVICE | RO, [1, 0], [0, 0]],
    [HOST | DEVICE, [2, 2], [1, 1]],
    [HOST | DEVICE | RO, [2, 0], [1, 0]],
  ];
  for (const [flags, taken, left] of rows) {
    const h = host();
    grant(h, 1);
    const mfn = h.guest.mfnOf(0);
    const held = () => [h.hv.frames.count(mfn) - 1, h.hv.frames.typeCount(mfn)];
    const { status, handle, dev_bus_addr } = map(h, { flags, host_addr: LINEAR });
    assertEquals([status, held()], [0, taken], `flags ${flags}`);
    const un = { host_addr: 0, dev_bus_addr, handle, status: 77 };
    xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_unmap_grant_ref, [un]);
    assertEquals([un.status, held()], [0, left], `flags ${flags}, the device half unmapped`);
    assertInOrder(h);
  }
});

Deno.test("mapGrantRef() counts a translated granter's page as written only if it maps it itself", () => {
  const rows: [rule: string, granter: xen.DomainKind, mapper: "itself" | "dom0", uses: number][] = [
    ["paravirtual, mapped by another", "pv", "dom0", 1],
    ["translated, mapped by another", "pvh", "dom0", 0],
    ["translated, mapped by itself", "pvh", "itself", 1],
  ];
  for (const [rule, kind, who, uses] of rows) {
    const h = host();
    const granter = h.hv.createDomain({ kind, frames: 4 });
    const mapper = who === "itself" ? granter : h.dom0;
    const frame = kind === "pv" ? granter.mfnOf(2) : 2;
    xen.grantAccess(granter, REF, { domid: mapper.domid, frame });
    const op = mapOp(h, { dom: granter.domid, flags: HOST, host_addr: LINEAR });
    xen.grantTableOp(h.hv, mapper, xen.GNTTABOP_map_grant_ref, [op]);
    assertEquals([op.status, h.hv.frames.typeCount(granter.mfnOf(2))], [0, uses], rule);
    assertInOrder(h);
  }
});

Deno.test("mapGrantRef() counts who can leak the frame: host mappings by page table", () => {
  const rows: [rule: string, mapper: "dom0" | "pvh", flags: number, maps: number][] = [
    ["host", "dom0", HOST, 1],
    ["device", "dom0", DEVICE, 0],
    ["both", "dom0", HOST | DEVICE, 1],
    ["host of a translated mapper", "pvh", HOST, 0],
  ];
  for (const [rule, who, flags, maps] of rows) {
    const h = host();
    const mapper = who === "dom0" ? h.dom0 : h.hv.createDomain({ kind: "pvh", frames: 4 });
    grant(h, 1, { domid: mapper.domid });
    const op = mapOp(h, { flags, host_addr: LINEAR });
    xen.grantTableOp(h.hv, mapper, xen.GNTTABOP_map_grant_ref, [op]);
    const grantMaps = () => h.hv.frames.grantMaps(h.guest.mfnOf(0));
    assertEquals([op.status, grantMaps()], [0, maps], rule);
    const un = { host_addr: LINEAR, dev_bus_addr: op.dev_bus_addr, handle: op.handle, status: 77 };
    xen.grantTableOp(h.hv, mapper, xen.GNTTABOP_unmap_grant_ref, [un]);
    assertEquals([un.status, grantMaps()], [0, 0], rule);
    assertInOrder(h);
  }
});

Deno.test("mapGrantRef() writes the entry when its use begins and when a reader becomes a writer", () => {
  const h = host();
  grant(h, 1);
  const rows: [flags: number, writes: number][] = [
    [HOST | RO, 1],
    [HOST | RO, 0],
    [DEVICE | RO, 0],
    [HOST, 1],
    [HOST, 0],
    [DEVICE, 0],
    [HOST | RO, 0],
  ];
  rows.forEach(([flags, writes], i) => {
    const mark = h.trace.mark();
    assertEquals(map(h, { flags, host_addr: LINEAR + i * 4096 }).status, 0);
    assertEquals(h.trace.since(mark).entry_cmpxchg ?? 0, writes, `mapping ${i}`);
  });
  assertInOrder(h);
});

Deno.test("mapGrantRef() of a reader that becomes a writer serves the recorded frame, too", () => {
  const h = host();
  grant(h, 1);
  map(h, { flags: HOST | RO, host_addr: LINEAR });
  h.hv.mem.write32((h.guest.grantTable.entry(REF) + 4) as Maddr, h.guest.mfnOf(5));
  const writer = map(h, { host_addr: h.pte(1) });
  assertEquals([writer.status, writer.dev_bus_addr], [0, h.guest.mfnOf(0) * 4096]);
  assertEquals(h.entry(1).frame, h.guest.mfnOf(0));
  assertInOrder(h);
});

Deno.test("mapGrantRef() refuses what a running copy uses part of", () => {
  const rows: [rule: string, source: Parameters<typeof writeV2>[2], ref: number, expect: number][] = [
    ["the whole page", { flags: xen.GTF_permit_access, domid: 0 }, REF, 0],
    ["a byte range", { flags: xen.GTF_permit_access | xen.GTF_sub_page, domid: 0, length: 64 }, REF, -1],
    [
      "another grant's byte range",
      {
        flags: xen.GTF_permit_access | xen.GTF_sub_page,
        domid: 0,
        length: 64,
      },
      REF + 2,
      0,
    ],
    ["a grant of a grant", { flags: xen.GTF_transitive, domid: 0, gref: 8 }, REF, -1],
  ];
  for (const [rule, source, ref, expect] of rows) {
    const h = host();
    setVersion(h, h.guest, 2);
    const third = h.hv.createDomain({ frames: 1 });
    xen.grantAccess(third, 8, { domid: h.guest.domid, frame: third.mfnOf(0) });
    const isInner = source.gref !== undefined;
    writeV2(
      h.guest,
      REF,
      isInner ? { ...source, trans: third.domid } : { ...source, frame: h.guest.mfnOf(0) },
    );
    for (const [i, at] of [[1, REF + 1], [2, REF + 2]] as const) {
      writeV2(h.guest, at, { flags: xen.GTF_permit_access, domid: 0, frame: h.guest.mfnOf(i) });
    }
    assertEquals(map(h, { flags: DEVICE | RO, ref: REF + 2 }).status, 0);
    // The copy has its source and looks at its destination; meanwhile another vCPU maps.
    const seen: number[] = [];
    h.guest.grantTable.race = (at) => {
      if (at === REF + 1) seen.push(map(h, { flags: DEVICE | RO, ref }).status);
    };
    const dest = { ref: REF + 1, domid: h.guest.domid, offset: 0 };
    assertEquals(copy(h, { flags: xen.GNTCOPY_source_gref | xen.GNTCOPY_dest_gref, dest }), 0, rule);
    assertEquals(seen, [expect], rule);
    h.guest.grantTable.race = null;
    assertInOrder(h);
  }
});

Deno.test("gnttabMapGrantRef() ends at an element that cannot be read, and keeps what was mapped", () => {
  for (const bad of [null, undefined, 77]) {
    const h = host();
    grant(h, 3);
    const [first, last] = [REF, REF + 1].map((ref) => mapOp(h, { flags: DEVICE, ref }));
    const ops = [first!, bad as null, last!];
    const mark = h.trace.mark();
    assertEquals(xen.grantTableOp(h.hv, h.dom0, xen.GNTTABOP_map_grant_ref, ops), -14, String(bad));
    assertEquals([first!.status, last!.status, h.dom0.maptrack.live], [0, 77, 1]);
    assertEquals(h.trace.since(mark).gnttab_op, 1);
    assertInOrder(h);
  }
});
