/**
 * munmap: split what is cut, take the VMAs out of the tree, and only then touch page tables: notifiers, entries,
 * tables, TLB, and last the owners of the mappings.
 *
 * ```text
 *   AAAAAAAABBBBBCCCCCCC        the range [start, end)
 *       |<------------>|
 *   AAAA aaaa BBBBB ccc CCCC    small letters: the pieces that go; which piece of A and of C is the new VMA
 *                               is `flavour.munmapSplit`
 * ```
 *
 * @module
 */

import { enterCall, refuse } from "./last_call.ts";
import { ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { zapHugePages } from "./hugetlb_fault.ts";
import { zapPageRange } from "./memory.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import {
  countTableScan,
  forEachPresentPte,
  forEachPteTable,
  pageAlign,
  type UserWord,
  userWord,
} from "./page_range.ts";
import { freePgtables } from "./pgtable.ts";
import { splitVma } from "./split.ts";
import { MmuGather } from "./tlb_gather.ts";
import type { Vma } from "./vma.ts";
import { removeVma } from "./vm_area.ts";
import { VM_HUGETLB, VM_MIXEDMAP, VM_PFNMAP } from "./vm_flags.ts";
import { preallocateNodes } from "./tree_nodes.ts";

/**
 * The system call.
 *
 * @returns EINVAL if `address` is not page aligned, `length` is 0 or the range leaves user space; ENOMEM if a hole
 *   would exceed the number of VMAs a process may have; what a `may_split` operation answers
 * @cite linux 6.1 mm/mmap.c __vm_munmap
 *
 * @example
 * ```ts
 * import { MAP_ANONYMOUS, MAP_PRIVATE, mmap, munmap, nativeLinux, PROT_READ } from "grantlab/linux/mm";
 * const mm = nativeLinux().process();
 * const at = mmap(mm, { length: 8192, prot: PROT_READ, flags: MAP_PRIVATE | MAP_ANONYMOUS });
 * if (!at.ok || !munmap(mm, at.value, 4096).ok || mm.vmas.size !== 1) throw new Error();
 * ```
 */
export function munmap(mm: MmStruct, address: UserWord, length: UserWord): SysResult<0> {
  enterCall(mm, "munmap");
  return mm.system.trace.span("munmap", () => {
    mm.mmapWriteLock();
    return doMunmap(mm, userWord("an address", address), userWord("a length", length));
  });
}

/** Checks, then unmaps. @cite linux 6.1 mm/mmap.c do_mas_munmap */
export function doMunmap(mm: MmStruct, start: number, length: number): SysResult<0> {
  if (start % PAGE_SIZE !== 0) {
    return refuse(mm, "EINVAL", "do_mas_munmap", "the address is on no page boundary");
  }
  if (start > TASK_SIZE_MAX || length > TASK_SIZE_MAX - start) {
    return refuse(mm, "EINVAL", "do_mas_munmap", "the range leaves user space");
  }
  const end = start + pageAlign(length);
  if (end === start) return refuse(mm, "EINVAL", "do_mas_munmap", "the length is 0");
  mm.system.trace.add(EV.vma_find);
  const first = mm.vmas.find(start);
  if (first === null || first.start >= end) return ok(0);
  return unmapFrom(mm, first, start, end);
}

/** `first` is the first VMA that overlaps. @cite linux 6.1 mm/mmap.c do_mas_align_munmap */
function unmapFrom(mm: MmStruct, first: Vma, start: number, end: number): SysResult<0> {
  const { munmapSplit } = mm.system.flavour;
  if (start > first.start) {
    // Only a hole makes more VMAs than there were; ends may be cut at the limit.
    if (end < first.end && mm.vmas.size >= mm.maxMapCount) {
      return refuse(
        mm,
        "ENOMEM",
        "do_mas_align_munmap",
        `a hole needs one more VMA than the ${mm.vmas.size} that a process may have`,
      );
    }
    const cut = splitVma(first, start, munmapSplit.startNewBelow);
    if (!cut.ok) return cut;
  }
  const last = mm.vmas.lastBelow(end);
  if (last !== null && last.end > end) {
    const cut = splitVma(last, end, munmapSplit.endNewBelow);
    if (!cut.ok) return cut;
  }
  const gone: Vma[] = [];
  for (let vma = mm.vmas.find(start); vma !== null && vma.start < end; vma = mm.vmas.next(vma)) {
    gone.push(vma);
  }
  for (const vma of gone) mm.vmas.remove(vma);
  preallocateNodes(mm.system);
  mm.system.trace.add(EV.vma_tree_write);
  unmapRegion(mm, gone, start, end);
  for (const vma of gone) removeVma(vma);
  return ok(0);
}

/**
 * Entries, tables and TLB of `[start, end)`, whose VMAs are out of the tree already (or never came in).
 *
 * @cite linux 6.1 mm/mmap.c unmap_region
 */
export function unmapRegion(mm: MmStruct, gone: readonly Vma[], start: number, end: number): void {
  mm.system.lru.beforeZap();
  const gather = new MmuGather(mm);
  invalidateRangeStart(mm, start, end, "MMU_NOTIFY_UNMAP");
  for (const vma of gone) zapVmaRange(gather, vma, vma.start, vma.end);
  const prev = mm.vmas.lastBelow(start);
  const next = mm.vmas.find(start);
  mm.system.trace.span(
    "free_pgtables",
    () => freePgtables(gather, gone, prev?.end ?? 0, next?.start ?? 2 ** 47),
  );
  gather.finish();
}

/** Zaps and notes what the TLBs are owed; the caller has told the notifiers. @cite linux 6.1 mm/memory.c unmap_single_vma */
export function zapVmaRange(gather: MmuGather, vma: Vma, start: number, end: number): void {
  if ((vma.flags & VM_HUGETLB) !== 0) return zapHugePages(gather, vma, start, end);
  forEachPteTable(vma.mm, start, end, (from, to) => {
    countTableScan(vma.mm.system, from, to);
    forEachPresentPte(vma.mm, from, to, (address) => {
      gather.add(address, address + PAGE_SIZE);
      gather.addPage();
    });
    zapPageRange(vma, from, to);
  });
  // Pages that nobody counts maps of must not be reachable any more when the VMA goes. @cite linux 6.1 include/asm-generic/tlb.h tlb_end_vma
  if ((vma.flags & (VM_PFNMAP | VM_MIXEDMAP)) !== 0) gather.finish();
}
