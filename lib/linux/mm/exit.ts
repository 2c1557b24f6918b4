/**
 * The end of an address space: everything is unmapped and every page given back.
 *
 * @module
 */

import { removeVma } from "./vm_area.ts";
import type { MmStruct } from "./mm_struct.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { zapVmaRange } from "./munmap.ts";
import { freePgtables, freeTablePage } from "./pgtable.ts";
import { MmuGather } from "./tlb_gather.ts";

/** User space ends here as far as tables go. */
const USER_SPACE_END = 2 ** 47;

/**
 * Ends the process: notifiers hear of a release, entries and tables go, owners are closed, the top table last. The
 * address space must not be used afterwards.
 *
 * @cite linux 6.1 mm/mmap.c exit_mmap
 */
export function exitMmap(mm: MmStruct): void {
  const { system } = mm;
  invalidateRangeStart(mm, 0, USER_SPACE_END, "MMU_NOTIFY_RELEASE");
  system.pv.exitMmap(mm);
  // Interval notifiers are still registered: their owners take them away when they are closed, below.
  if (mm.vmas.size > 0) invalidateRangeStart(mm, 0, USER_SPACE_END, "MMU_NOTIFY_UNMAP");
  system.lru.drain();
  const gather = new MmuGather(mm);
  const gone = [...mm.vmas];
  for (const vma of gone) zapVmaRange(gather, vma, vma.start, vma.end);
  for (const vma of gone) mm.vmas.remove(vma);
  freePgtables(gather, gone, 0, USER_SPACE_END);
  gather.finish();
  for (const vma of gone) removeVma(vma);
  for (const cpu of mm.activeCpus) system.current[cpu] = null;
  mm.activeCpus.clear();
  freeTablePage(system, mm.pgd);
  system.addressSpaces.delete(mm);
}
