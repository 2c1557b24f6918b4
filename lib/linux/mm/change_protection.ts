/**
 * New rights for the entries that are there: write access is given at once only where the fault handler would give it
 * without looking further.
 *
 * @module
 */

import { PAGE_SIZE, PUD_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_DIRTY, _PAGE_PRESENT, _PAGE_RW } from "../../x86/pte.ts";
import { changeHugeProtection } from "./hugetlb_fault.ts";
import { ptePresent, vmNormalPage } from "./memory.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { PG_anon, PG_anon_exclusive } from "./page.ts";
import { countTableScan, forEachPteTable } from "./page_range.ts";
import { pageProtOf, pteModify, pteNeedsFlush } from "./page_prot.ts";
import { rawFlags, rawFrame, storeAnew } from "./pgtable.ts";
import type { MmuGather } from "./tlb_gather.ts";
import type { Vma } from "./vma.ts";
import { VM_HUGETLB, VM_SHARED, VM_WRITE } from "./vm_flags.ts";
import { NO_PAGE } from "./vm_ops.ts";

/**
 * Gives the entries of `[start, end)` the rights that the VMA has now. Notifiers hear of it only where there is a
 * page table, once per GiB.
 *
 * @cite linux 6.1 mm/mprotect.c change_protection
 */
export function changeProtection(gather: MmuGather, vma: Vma, start: number, end: number): void {
  const { mm } = vma;
  const { system } = mm;
  if ((vma.flags & VM_HUGETLB) !== 0) return changeHugeProtection(gather, vma, start, end);
  const prot = pageProtOf(vma);
  const { mprotectMeasuresRuns: measuresRuns, mprotectTakesOut: takesOut } = system.flavour;
  let notifiedTo = start;
  forEachPteTable(mm, start, end, (from, to, first) => {
    if (from >= notifiedTo) {
      notifiedTo = Math.min(end, from - from % PUD_SIZE + PUD_SIZE);
      invalidateRangeStart(mm, from, notifiedTo, "MMU_NOTIFY_PROTECTION_VMA");
    }
    countTableScan(system, from, to);
    system.pv.enterLazyMmu();
    for (let address = from, slot = first; address < to; address += PAGE_SIZE, slot += 2) {
      const flags = rawFlags(system, slot);
      if (!ptePresent(flags)) continue;
      system.trace.add(EV.pte_read);
      if (measuresRuns) vmNormalPage(vma, address, rawFrame(system, slot), flags);
      let changed = pteModify(flags, prot);
      if ((vma.flags & VM_WRITE) !== 0 && (changed & _PAGE_RW) === 0) {
        if (canChangePteWritable(vma, address, rawFrame(system, slot), changed)) changed |= _PAGE_RW;
      }
      if (takesOut) storeAnew(system, slot, changed);
      else system.pv.modifyPteProt(slot, changed);
      if (pteNeedsFlush(flags, changed)) gather.add(address, address + PAGE_SIZE);
    }
    system.pv.leaveLazyMmu();
  });
}

/** Would a write fault make the entry writable without a look at the page? @cite linux 6.1 mm/mprotect.c can_change_pte_writable */
function canChangePteWritable(vma: Vma, address: number, frame: number, flags: number): boolean {
  if ((flags & _PAGE_PRESENT) === 0 || (flags & _PAGE_DIRTY) === 0) return false;
  if ((vma.flags & VM_SHARED) !== 0) return false;
  const page = vmNormalPage(vma, address, frame, flags);
  if (page === NO_PAGE) return false;
  const wanted = PG_anon | PG_anon_exclusive;
  return (vma.mm.system.memMap.flags[page]! & wanted) === wanted;
}
