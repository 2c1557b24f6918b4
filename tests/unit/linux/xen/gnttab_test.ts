/**
 * Mapping and unmapping with the p2m kept true, the unmap that waits, and what each design's gntdev costs in events.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../../../lib/core/geometry.ts";
import type { Process } from "../../../../lib/experiments/process.ts";
import { type World, world } from "../../../../lib/experiments/world.ts";
import type { GrantMap } from "../../../../lib/drivers/gntdev/grant_map.ts";
import { PG_foreign } from "../../../../lib/linux/mm/page.ts";
import { gnttabMapRefs, gnttabUnmapRefsAsync, type UnmapItem } from "../../../../lib/linux/xen/gnttab.ts";
import { allocSlot } from "../../../../lib/linux/mm/pgtable.ts";
import { GNTMAP_host_map, type GnttabMapGrantRef } from "../../../../lib/xen/abi.ts";
import { endAccess, readGrantEntry } from "../../../../lib/xen/grant_access.ts";
import { GNTST_general_error, GNTST_okay } from "../../../../lib/xen/status.ts";

interface Mapped {
  readonly w: World;
  readonly qemu: Process;
  readonly map: GrantMap;
  readonly start: number;
}

/** `n` grants under the references from 8 on, mapped. */
function mapped(n: number, kernel = "linux6_1"): Mapped {
  const w = world({ kernel });
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant(n));
  return { w, qemu, map: qemu.gntdev.priv.maps[0]!, start };
}

function itemOf(batch: GrantMap, done: (rc: number) => void): UnmapItem {
  return { batch, done, age: 0, isQueued: false };
}

const flagsOf = (w: World, ref: number) => readGrantEntry(w.guest.domain, ref).flags;

Deno.test("gnttabMapRefs() makes the slot FOREIGN and marks the page", () => {
  const { w, map } = mapped(1);
  const page = map.pages[0]!;
  assertEquals(w.kernel.p2m.describe(page), "FOREIGN(0x710)");
  assertEquals(w.kernel.system.memMap.flags[page]! & PG_foreign, PG_foreign);
  assertEquals([flagsOf(w, 8), w.guest.domain.grantTable.pin[8]], [0x19, 2]);
});

Deno.test("gnttabUnmapRefs() makes the slot INVALID and clears the mark", () => {
  const { w, qemu, map, start } = mapped(1);
  qemu.munmap(start, PAGE);
  const page = map.pages[0]!;
  assertEquals(w.kernel.p2m.describe(page), "INVALID");
  assertEquals(w.kernel.system.memMap.flags[page]! & PG_foreign, 0);
  assertEquals([flagsOf(w, 8), w.guest.domain.grantTable.pin[8]], [1, 0]);
});

Deno.test("gnttabMapRefs() leaves slots of failed grants INVALID", () => {
  const w = world();
  const { kernel } = w;
  const grants = w.guest.grant(3);
  endAccess(w.guest.domain, grants.refs[1]!);
  const pages = kernel.frameSource.alloc(3)!;
  const op = (i: number): GnttabMapGrantRef => {
    const host_addr = kernel.kernelAddress(pages[i]!);
    allocSlot(kernel.initMm, host_addr);
    const flags = GNTMAP_host_map;
    return {
      host_addr,
      flags,
      ref: grants.refs[i]!,
      dom: grants.domid,
      status: 77,
      handle: 0,
      dev_bus_addr: 0,
    };
  };
  const mapOps = [op(0), op(1), op(2)];
  // As blkback maps: at kernel addresses at once.
  assertEquals(gnttabMapRefs(kernel, { mapOps, kmapOps: [], pages }), 0);
  assertEquals(mapOps.map(({ status }) => status), [GNTST_okay, GNTST_general_error, GNTST_okay]);
  assertEquals(pages.map((page) => kernel.p2m.describe(page)), [
    "FOREIGN(0x710)",
    "INVALID",
    "FOREIGN(0x712)",
  ]);
  const { flags } = kernel.system.memMap;
  assertEquals(pages.map((page) => flags[page]! & PG_foreign), [PG_foreign, 0, PG_foreign]);
});

// Retry k runs at 5 + 10 + … + 5k ms.
const RETRIES: readonly [retry: number, ms: number][] = [
  [1, 5],
  [2, 15],
  [3, 30],
  [4, 50],
  [5, 75],
  [6, 105],
  [7, 140],
  [8, 180],
  [9, 225],
  [10, 275],
];

for (const [retry, ms] of RETRIES) {
  Deno.test(`gnttabUnmapRefsAsync() tries again: retry ${retry} at ${ms} ms`, () => {
    const { w, map } = mapped(2);
    const { memMap } = w.kernel.system;
    const done: [rc: number, ms: number][] = [];
    memMap.getPage(map.pages[1]!);
    gnttabUnmapRefsAsync(w.kernel, itemOf(map, (rc) => done.push([rc, w.kernel.work.nowMs])));
    // Let go right after the retry before: nothing happens until the next one.
    const before = RETRIES[retry - 2]?.[1] ?? 0;
    w.advance(before);
    memMap.putPage(map.pages[1]!);
    w.advance(ms - before - 1);
    assertEquals([done, w.kernel.work.pending], [[], 1]);
    assertEquals([flagsOf(w, 8), flagsOf(w, 9)], [0x19, 0x19], "all or nothing");
    w.advance(1);
    assertEquals([done, w.kernel.work.pending], [[[0, ms]], 0]);
    assertEquals([flagsOf(w, 8), flagsOf(w, 9)], [1, 1]);
  });
}

Deno.test("gnttabUnmapRefsAsync() does not wait when nobody holds the pages", () => {
  const { w, map } = mapped(2);
  const done: number[] = [];
  gnttabUnmapRefsAsync(w.kernel, itemOf(map, () => done.push(w.kernel.work.nowMs)));
  assertEquals([done, w.kernel.work.pending, flagsOf(w, 8)], [[0], 0, 1]);
});

Deno.test("gnttabUnmapRefsAsync() waits as long as a page is held, however long", () => {
  const { w, map } = mapped(1);
  let done = 0;
  w.kernel.system.memMap.getPage(map.pages[0]!);
  gnttabUnmapRefsAsync(w.kernel, itemOf(map, () => done++));
  w.advance(100_000);
  assertEquals([done, w.kernel.work.pending, flagsOf(w, 8)], [0, 1, 0x19]);
});

/** Events of one mmap or munmap of n grants. */
interface Cost {
  readonly hypercall: number;
  readonly gnttab_op: number;
  readonly flush_tlb_mask: number;
}

/**
 * Judged, from the table "events per n grants": gntdev map 2 hypercalls with 2n operations; unmap the same with one
 * flush per 32 operations of a hypercall. Under m2p_override the kernel's half goes one by one through multicalls of
 * 32 calls: one call a page to map, two to unmap (replace, then the scratch entry), one flush a page.
 */
const COSTS: readonly { design: string; n: number; map: Cost; unmap: Cost }[] = [
  {
    design: "linux6_1",
    n: 1,
    map: { hypercall: 2, gnttab_op: 2, flush_tlb_mask: 0 },
    unmap: { hypercall: 2, gnttab_op: 2, flush_tlb_mask: 2 },
  },
  {
    design: "linux6_1",
    n: 32,
    map: { hypercall: 2, gnttab_op: 64, flush_tlb_mask: 0 },
    unmap: { hypercall: 2, gnttab_op: 64, flush_tlb_mask: 2 },
  },
  {
    design: "linux6_1",
    n: 33,
    map: { hypercall: 2, gnttab_op: 66, flush_tlb_mask: 0 },
    unmap: { hypercall: 2, gnttab_op: 66, flush_tlb_mask: 4 },
  },
  {
    design: "linux3_19",
    n: 1,
    map: { hypercall: 2, gnttab_op: 2, flush_tlb_mask: 0 },
    unmap: { hypercall: 2, gnttab_op: 2, flush_tlb_mask: 2 },
  },
  {
    design: "linux3_19",
    n: 32,
    map: { hypercall: 2, gnttab_op: 64, flush_tlb_mask: 0 },
    unmap: { hypercall: 3, gnttab_op: 64, flush_tlb_mask: 33 },
  },
  {
    design: "linux3_19",
    n: 33,
    map: { hypercall: 3, gnttab_op: 66, flush_tlb_mask: 0 },
    unmap: { hypercall: 4, gnttab_op: 66, flush_tlb_mask: 35 },
  },
];

for (const { design, n, map, unmap } of COSTS) {
  Deno.test(`${design}: events of mapping and unmapping ${n} grants`, () => {
    const w = world({ kernel: design });
    const qemu = w.process();
    // Tables and scratch page are there already, and stay.
    qemu.mmapGrants(w.guest.grant(1));
    const warm = qemu.mmapGrants(w.guest.grant(n));
    qemu.munmap(warm.start, n * PAGE);
    const grants = w.guest.grant(n);
    const counted = (body: () => void): Cost => {
      const mark = w.trace.mark();
      body();
      const { hypercall = 0, gnttab_op = 0, flush_tlb_mask = 0 } = w.trace.since(mark);
      return { hypercall, gnttab_op, flush_tlb_mask };
    };
    let start = 0;
    assertEquals(counted(() => start = qemu.mmapGrants(grants).start), map);
    assertEquals(counted(() => qemu.munmap(start, n * PAGE)), unmap);
  });
}

for (const design of ["draft_b", "seed2014", "vma_pages_v1", "linux4_0"]) {
  Deno.test(`${design}: hypercalls of mapping and unmapping are those of today`, () => {
    const { w, qemu, start } = mapped(33, design);
    const mark = w.trace.mark();
    qemu.munmap(start + PAGE, 31 * PAGE);
    const { hypercall, gnttab_op, flush_tlb_mask } = w.trace.since(mark);
    assertEquals({ hypercall, gnttab_op, flush_tlb_mask }, {
      hypercall: 2,
      gnttab_op: 62,
      flush_tlb_mask: 2,
    });
  });
}
