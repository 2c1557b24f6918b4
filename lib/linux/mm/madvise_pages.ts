/**
 * What MADV_DONTNEED, MADV_FREE, MADV_COLD and MADV_PAGEOUT do to pages. There is no swap: anonymous pages stay, unless
 * they were given up before; pages of memory files leave the page table and stay in the file.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY } from "../../x86/pte.ts";
import { vmNormalPage, zapPte } from "./memory.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { zapVmaRange } from "./munmap.ts";
import { PG_anon, PG_lazyfree } from "./page.ts";
import { forEachPresentPte, forEachPresentPteLazy } from "./page_range.ts";
import type { PteSlot } from "./paravirt.ts";
import { rawFlags, rawFrame, storeAnew } from "./pgtable.ts";
import { MmuGather } from "./tlb_gather.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import { NO_PAGE } from "./vm_ops.ts";

/** Drops the pages of a range of one VMA. @cite linux 6.1 mm/memory.c zap_page_range_single */
export function zapPages(vma: Vma, start: number, end: number): null {
  vma.mm.system.lru.beforeZap();
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
  forEachPresentPteLazy(vma.mm, start, end, (address, slot) => {
    const flags = rawFlags(system, slot);
    const page = vmNormalPage(vma, address, rawFrame(system, slot), flags);
    if (page === NO_PAGE || system.memMap.pageMapcount(page) !== 1) return;
    if ((system.memMap.flags[page]! & PG_anon) !== 0) system.memMap.flags[page]! |= PG_lazyfree;
    if ((flags & (_PAGE_ACCESSED | _PAGE_DIRTY)) === 0) return;
    storeAnew(system, slot, flags & ~(_PAGE_ACCESSED | _PAGE_DIRTY));
    gather.add(address, address + PAGE_SIZE);
  });
  gather.finish();
  return null;
}

/** Makes the entries old; nothing looks at their age here. @cite linux 6.1 mm/madvise.c madvise_cold_or_pageout_pte_range */
export function coldPages(vma: Vma, start: number, end: number): null {
  const gather = new MmuGather(vma.mm);
  forEachReclaimable(forEachPresentPteLazy, vma, start, end, (address, slot, flags) => {
    if ((flags & _PAGE_ACCESSED) === 0) return;
    storeAnew(vma.mm.system, slot, flags & ~_PAGE_ACCESSED);
    gather.add(address, address + PAGE_SIZE);
  });
  gather.finish();
  return null;
}

/**
 * Reclaims what can be reclaimed without swap.
 *
 * @cite linux 6.1 mm/vmscan.c shrink_folio_list
 */
export function pageoutPages(vma: Vma, start: number, end: number): null {
  const { memMap } = vma.mm.system;
  coldPages(vma, start, end);
  const gather = new MmuGather(vma.mm);
  forEachReclaimable(forEachPresentPte, vma, start, end, (address, slot, flags, page) => {
    if ((memMap.flags[page]! & PG_anon) !== 0) {
      if ((memMap.flags[page]! & PG_lazyfree) === 0) return;
      if ((flags & _PAGE_DIRTY) !== 0 || memMap.refcount[page] !== 1) {
        memMap.flags[page]! &= ~PG_lazyfree;
        return;
      }
    } else if (vma.file?.pageCache?.find(linearPageIndex(vma, address)) !== page) return;
    invalidateRangeStart(vma.mm, address, address + PAGE_SIZE, "MMU_NOTIFY_CLEAR");
    gather.add(address, address + PAGE_SIZE);
    if (zapPte(vma, address, slot)) vma.mm.system.condResched();
  });
  gather.finish();
  return null;
}

/** Pages that only this entry maps. */
function forEachReclaimable(
  forEach: typeof forEachPresentPte,
  vma: Vma,
  start: number,
  end: number,
  visit: (address: number, slot: PteSlot, flags: number, page: number) => void,
): void {
  const { system } = vma.mm;
  forEach(vma.mm, start, end, (address, slot, flags) => {
    const page = vmNormalPage(vma, address, rawFrame(system, slot), flags);
    if (page !== NO_PAGE && system.memMap.pageMapcount(page) === 1) visit(address, slot, flags, page);
  });
}
