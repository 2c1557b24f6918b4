/**
 * What MADV_DONTNEED and MADV_FREE do to pages.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY } from "../../x86/pte.ts";
import { vmNormalPage } from "./memory.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { zapVmaRange } from "./munmap.ts";
import { forEachPresentPte } from "./page_range.ts";
import { rawFlags, rawFrame } from "./pgtable.ts";
import { MmuGather } from "./tlb_gather.ts";
import type { Vma } from "./vma.ts";
import { NO_PAGE } from "./vm_ops.ts";

/** Drops the pages of a range of one VMA. @cite linux 6.1 mm/memory.c zap_page_range_single */
export function zapPages(vma: Vma, start: number, end: number): null {
  const gather = new MmuGather(vma.mm);
  invalidateRangeStart(vma.mm, start, end, "MMU_NOTIFY_CLEAR");
  zapVmaRange(gather, vma, start, end);
  gather.finish();
  return null;
}

/**
 * Marks anonymous pages as free to take: clean and old. Nothing takes them here.
 *
 * @cite linux 6.1 mm/madvise.c madvise_free_pte_range
 */
export function freePages(vma: Vma, start: number, end: number): null {
  const { system } = vma.mm;
  const gather = new MmuGather(vma.mm);
  invalidateRangeStart(vma.mm, start, end, "MMU_NOTIFY_CLEAR");
  forEachPresentPte(vma.mm, start, end, (address, slot) => {
    const flags = rawFlags(system, slot);
    const page = vmNormalPage(vma, address, rawFrame(system, slot), flags);
    if (page === NO_PAGE || system.memMap.pageMapcount(page) !== 1) return;
    if ((flags & (_PAGE_ACCESSED | _PAGE_DIRTY)) === 0) return;
    system.pv.setPteFlags(slot, flags & ~(_PAGE_ACCESSED | _PAGE_DIRTY));
    gather.add(address, address + PAGE_SIZE);
  });
  gather.finish();
  return null;
}
