/**
 * Filling a range in advance: MAP_POPULATE, VM_LOCKED. Errors are not reported, as in Linux.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { _PAGE_PRESENT, _PAGE_PROTNONE, _PAGE_RW } from "../../x86/pte.ts";
import { handleMmFault } from "./fault.ts";
import { findVma } from "./find_vma.ts";
import type { MmStruct } from "./mm_struct.ts";
import { lookupSlot, rawFlags } from "./pgtable.ts";
import { vmaAccessPermitted } from "./pkeys.ts";
import type { Vma } from "./vma.ts";
import { VM_ACCESS_FLAGS, VM_IO, VM_LOCKONFAULT, VM_PFNMAP, VM_SHARED, VM_WRITE } from "./vm_flags.ts";

/** Why a range could not be filled. */
export type PopulateError = "EFAULT" | "ENOMEM";

/**
 * Fills `[start, end)`, VMA by VMA, over gaps; answers the error at which it stopped.
 *
 * @param ignoreErrors go on after an error with the next VMA
 * @cite linux 6.1 mm/gup.c __mm_populate
 */
export function mmPopulate(
  mm: MmStruct,
  start: number,
  end: number,
  ignoreErrors = true,
): PopulateError | null {
  for (let vma = findVma(mm, start); vma !== null && vma.start < end; vma = mm.vmas.next(vma)) {
    if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0) continue;
    const error = populateVmaRange(vma, Math.max(start, vma.start), Math.min(end, vma.end));
    if (error !== null && !ignoreErrors) return error;
  }
  return null;
}

/**
 * Fills a part of one VMA up to the first page that cannot be filled: private writable memory is written to, so that
 * each page is the process's own; the rest is read.
 *
 * @cite linux 6.1 mm/gup.c populate_vma_page_range
 */
export function populateVmaRange(vma: Vma, start: number, end: number): PopulateError | null {
  if ((vma.flags & VM_LOCKONFAULT) !== 0) {
    const isRefused = vma.mm.system.flavour.onFaultChecksRights && (vma.flags & VM_ACCESS_FLAGS) === 0;
    return isRefused ? "EFAULT" : null;
  }
  if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0) return "EFAULT";
  // FOLL_FORCE gets past any rights but none at all.
  if ((vma.flags & VM_ACCESS_FLAGS) === 0) return "EFAULT";
  const write = (vma.flags & (VM_WRITE | VM_SHARED)) === VM_WRITE;
  // Nor past a protection key: exec-only memory stays empty where there are keys.
  if (!vmaAccessPermitted(vma, write, false)) return "EFAULT";
  return faultInRange(vma, start, end, write);
}

/** Faults page after page in, as if the program touched them. @cite linux 6.1 mm/gup.c faultin_vma_page_range */
export function faultInRange(vma: Vma, start: number, end: number, write: boolean): PopulateError | null {
  for (let address = start; address < end; address += PAGE_SIZE) {
    if (isFilled(vma, address, write)) continue;
    const outcome = handleMmFault(vma, address, write);
    if (outcome !== "ok") return outcome === "OOM" ? "ENOMEM" : "EFAULT";
  }
  return null;
}

function isFilled(vma: Vma, address: number, write: boolean): boolean {
  const slot = lookupSlot(vma.mm, address);
  if (slot < 0) return false;
  const flags = rawFlags(vma.mm.system, slot);
  return (flags & (_PAGE_PRESENT | _PAGE_PROTNONE)) !== 0 && (!write || (flags & _PAGE_RW) !== 0);
}
