/**
 * Taking a part of a file out of every address space that maps it: before its pages go.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { zapPageRange } from "./memory.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import type { PageCache } from "./page_cache.ts";
import { countTableScan, forEachPresentPte, forEachPteTable } from "./page_range.ts";
import { MmuGather } from "./tlb_gather.ts";
import type { Vma } from "./vma.ts";

/**
 * Unmaps pages `[first, end)` of the file everywhere; private copies stay.
 *
 * @cite linux 6.1 mm/memory.c unmap_mapping_range
 */
export function unmapMappingRange(cache: PageCache, first: number, end: number): void {
  for (const mm of cache.system.addressSpaces) {
    for (const vma of mm.vmas) {
      if (vma.file?.pageCache !== cache) continue;
      const from = Math.max(vma.start, vma.start + (first - vma.pgoff) * PAGE_SIZE);
      const to = Math.min(vma.end, vma.start + (end - vma.pgoff) * PAGE_SIZE);
      if (from < to) unmapPart(vma, from, to);
    }
  }
}

function unmapPart(vma: Vma, start: number, end: number): void {
  const gather = new MmuGather(vma.mm);
  invalidateRangeStart(vma.mm, start, end, "MMU_NOTIFY_CLEAR");
  forEachPteTable(vma.mm, start, end, (from, to) => {
    countTableScan(vma.mm.system, from, to);
    forEachPresentPte(vma.mm, from, to, (address) => gather.add(address, address + PAGE_SIZE));
    zapPageRange(vma, from, to, false);
  });
  gather.finish();
}
