/**
 * From entries to pages and back to nothing: `vm_normal_page` and zap.
 *
 * `vm_normal_page` answers which `struct page`, if any, Linux may touch behind a present entry. It is the place where
 * the designs for foreign pages differ; what they add is the one call of `foreign.specialPage`.
 *
 * @module
 */

import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_DIRTY, _PAGE_PRESENT, _PAGE_PROTNONE, _PAGE_SPECIAL } from "../../x86/pte.ts";
import { PG_anon, PG_dirty } from "./page.ts";
import type { PteSlot } from "./paravirt.ts";
import { lookupSlot, rawFlags, rawFrame } from "./pgtable.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import { isCowMapping, VM_MIXEDMAP, VM_PFNMAP } from "./vm_flags.ts";
import { NO_PAGE, NOT_SUPPLIED } from "./vm_ops.ts";

/**
 * True if the raw flags say that there is a page: PRESENT, or PROT_NONE.
 *
 * @cite linux 6.1 arch/x86/include/asm/pgtable.h pte_present
 */
export function ptePresent(flags: number): boolean {
  return (flags & (_PAGE_PRESENT | _PAGE_PROTNONE)) !== 0;
}

/**
 * The page behind a present entry (raw `frame` and `flags`), or `NO_PAGE` if Linux must not treat it as one.
 * `address` is page aligned. A contradiction is reported in the kernel log, as Linux reports it.
 *
 * @cite linux 6.1 mm/memory.c vm_normal_page
 */
export function vmNormalPage(vma: Vma, address: number, frame: number, flags: number): number {
  const { system } = vma.mm;
  system.trace.add(EV.normal_page);
  const pfn = system.pv.ptePfn(frame, flags);
  if (!system.flavour.hasPteSpecial) {
    // A mixed mapping may hold whatever has a struct, until Linux 6.10 even the page of zeros.
    if ((vma.flags & VM_MIXEDMAP) !== 0) return system.memMap.pfnValid(pfn) ? pfn : NO_PAGE;
    if ((vma.flags & VM_PFNMAP) !== 0 && isRawPfn(vma, address, pfn)) return NO_PAGE;
    if (pfn === system.zeroPage) return NO_PAGE;
  } else if ((flags & _PAGE_SPECIAL) !== 0) {
    const supplied = system.flavour.foreign.specialPage(vma, address);
    if (supplied !== NOT_SUPPLIED) {
      system.trace.add(EV.special_lookup);
      return supplied;
    }
    if ((vma.flags & (VM_PFNMAP | VM_MIXEDMAP)) !== 0) return NO_PAGE;
    if (pfn === system.zeroPage) return NO_PAGE;
    printBadPte(vma, address, frame, flags, "special entry in a VMA without special pages");
    return NO_PAGE;
  }
  if (!system.memMap.pfnValid(pfn)) {
    printBadPte(vma, address, frame, flags, `pfn ${hex(pfn)} has no struct page`);
    return NO_PAGE;
  }
  return pfn;
}

/**
 * Without a bit for special entries a mapping of raw pfns holds them in order, and a page that is out of order is a
 * private copy.
 *
 * @cite linux 6.1 mm/memory.c vm_normal_page
 */
function isRawPfn(vma: Vma, address: number, pfn: number): boolean {
  return pfn === linearPageIndex(vma, address) || !isCowMapping(vma.flags);
}

/** Reports an entry that contradicts its VMA or page. @cite linux 6.1 mm/memory.c print_bad_pte */
export function printBadPte(vma: Vma, address: number, frame: number, flags: number, why: string): void {
  vma.mm.system.printk(
    "bad-page-map",
    "print_bad_pte",
    `Bad page map at ${hex(address)}: entry frame ${hex(frame)} flags ${hex(flags)}: ${why}`,
  );
}

/**
 * Clears every entry of `[start, end)` of the VMA and gives back what the entries held: map counts, references.
 * The caller has told the notifiers and flushes the TLB afterwards.
 *
 * Page references are dropped before that flush here, where Linux batches them until after it: the model has no
 * other actor in between, so nobody can tell. A report takes long on a console; the loop then sees that somebody
 * waits for the processor and yields before the next entry.
 *
 * @param evenCows false: private copies of file pages stay
 * @cite linux 6.1 mm/memory.c zap_pte_range
 */
export function zapPageRange(vma: Vma, start: number, end: number, evenCows = true): void {
  const { pv, condResched } = vma.mm.system;
  let slot: PteSlot = -1;
  pv.enterLazyMmu();
  for (let address = start; address < end; address += PAGE_SIZE) {
    if (slot < 0 || address % PMD_SIZE === 0) {
      slot = lookupSlot(vma.mm, address);
      if (slot < 0) {
        address += PMD_SIZE - address % PMD_SIZE - PAGE_SIZE;
        continue;
      }
    } else slot += 2;
    if (!zapPte(vma, address, slot, evenCows)) continue;
    pv.leaveLazyMmu();
    condResched();
    pv.enterLazyMmu();
  }
  pv.leaveLazyMmu();
}

/** One entry; true if it was reported. @param evenCows false: private copies stay. @cite linux 6.1 mm/memory.c should_zap_page */
export function zapPte(vma: Vma, address: number, slot: PteSlot, evenCows = true): boolean {
  const { system } = vma.mm;
  const { memMap, pv, trace } = system;
  const flags = rawFlags(system, slot);
  if (!ptePresent(flags)) return false;
  trace.add(EV.pte_read);
  const frame = rawFrame(system, slot);
  const page = vmNormalPage(vma, address, frame, flags);
  if (!evenCows && page !== NO_PAGE && (memMap.flags[page]! & PG_anon) !== 0) return false;
  pv.clearPte(slot);
  if (page === NO_PAGE) return false;
  if ((flags & _PAGE_DIRTY) !== 0) memMap.flags[page]! |= PG_dirty;
  const hasReported = memMap.removeRmap(page) < 0 && system.flavour.reportsMapcount;
  if (hasReported) {
    printBadPte(vma, address, frame, flags, `page ${hex(page)} has mapcount ${memMap.pageMapcount(page)}`);
  }
  memMap.putPage(page);
  return hasReported;
}
