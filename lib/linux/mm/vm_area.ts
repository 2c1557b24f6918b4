/**
 * Birth and end of a VMA structure, counted: allocation, the copy that a split, a fork or a move makes, the end that
 * closes it and gives its file back.
 *
 * @module
 */

import { EV } from "../../trace/events.ts";
import { fput, getFile } from "./file.ts";
import type { MmStruct } from "./mm_struct.ts";
import { dupVma, Vma } from "./vma.ts";

/** A VMA that is in no tree yet, or null without memory. @cite linux 6.1 kernel/fork.c vm_area_alloc */
export function vmAreaAlloc(
  mm: MmStruct,
  start: number,
  end: number,
  flags: number,
  pgoff: number,
): Vma | null {
  if (!mm.system.vmaAllocation()) return null;
  mm.system.trace.add(EV.vma_alloc);
  return new Vma(mm, start, end, flags, pgoff, null, null);
}

/** A copy that is in no tree yet and holds a reference on the file; null without memory. @cite linux 6.1 kernel/fork.c vm_area_dup */
export function vmAreaDup(vma: Vma): Vma | null {
  const { trace, flavour } = vma.mm.system;
  if (!vma.mm.system.vmaAllocation()) return null;
  trace.add(EV.vma_alloc);
  // Empty words are copied with the structure around them: memory, and no work of their own.
  if (vma.ext.pages !== undefined && flavour.foreign.vmaWords > 0) {
    trace.add(EV.vma_ext_word, flavour.foreign.vmaWords);
  }
  trace.add(EV.anon_vma_link, vma.anonVmaChain.length);
  if (vma.file !== null) getFile(vma.file);
  return dupVma(vma);
}

/** Frees the structure alone. @cite linux 6.1 kernel/fork.c vm_area_free */
export function vmAreaFree(vma: Vma): void {
  const { trace } = vma.mm.system;
  trace.add(EV.anon_vma_link, vma.anonVmaChain.length);
  trace.add(EV.vma_free);
}

/** Tells the owner, gives the file back, frees the structure. @cite linux 6.1 mm/mmap.c remove_vma */
export function removeVma(vma: Vma): void {
  vma.ops?.close?.(vma);
  if (vma.file !== null) fput(vma.file);
  vmStatAccount(vma.mm);
  vmAreaFree(vma);
}

/** A mapping counts from now on, or no longer. Only counts. @cite linux 6.1 mm/mmap.c vm_stat_account */
export function vmStatAccount(mm: MmStruct): void {
  mm.system.trace.add(EV.vm_account);
}
