/**
 * brk: the end of the heap, moved up or down.
 *
 * Left out: RLIMIT_DATA, RLIMIT_AS.
 *
 * @module
 */

import { enterCall } from "./last_call.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { mayCommit } from "./commit.ts";
import { obstacleAfter } from "./mergeable.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { doMunmap } from "./munmap.ts";
import { pageAlign, type UserWord, userWord } from "./page_range.ts";
import { mmPopulate } from "./populate.ts";
import { STACK_GUARD_GAP, vmStartGap } from "./unmapped_area.ts";
import { vmAreaAlloc, vmStatAccount } from "./vm_area.ts";
import {
  VM_ACCOUNT,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_READ,
  VM_SOFTDIRTY,
  VM_WRITE,
} from "./vm_flags.ts";
import { preallocateNodes } from "./tree_nodes.ts";

/** Rights of the heap. @cite linux 6.1 arch/x86/include/asm/page_types.h VM_DATA_DEFAULT_FLAGS */
const HEAP_FLAGS = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT;

/**
 * The system call: the new end of the heap, or the old one if it could not be moved. It never fails otherwise.
 *
 * @cite linux 6.1 mm/mmap.c brk
 *
 * @example
 * ```ts
 * import { brk, nativeLinux } from "grantlab/linux/mm";
 * const mm = nativeLinux().process();
 * const start = brk(mm, 0);
 * if (brk(mm, start + 4096) !== start + 4096 || mm.vmas.size !== 1) throw new Error();
 * if (brk(mm, start) !== start) throw new Error();
 * ```
 */
export function brk(mm: MmStruct, end: UserWord): number {
  enterCall(mm, "brk");
  mm.mmapWriteLock();
  const wanted = userWord("an address", end);
  if (wanted < mm.startBrk) return mm.brk;
  const newEnd = pageAlign(wanted);
  const oldEnd = pageAlign(mm.brk);
  const isDone = newEnd === oldEnd ||
    (wanted <= mm.brk ? shrink(mm, newEnd, oldEnd) : grow(mm, oldEnd, newEnd));
  if (isDone) mm.brk = wanted;
  return mm.brk;
}

/** True if the heap still ends where it should, and the rest could be unmapped. */
function shrink(mm: MmStruct, newEnd: number, oldEnd: number): boolean {
  const vma = mm.vmas.find(newEnd);
  return vma !== null && vma.start < oldEnd && doMunmap(mm, newEnd, oldEnd - newEnd).ok;
}

/** True if there is room up to the guard gap of the next VMA. */
function grow(mm: MmStruct, oldEnd: number, newEnd: number): boolean {
  if (newEnd > TASK_SIZE_MAX) return false;
  const next = mm.vmas.find(oldEnd);
  const reach = newEnd + PAGE_SIZE + STACK_GUARD_GAP;
  if (next !== null && next.start < reach && newEnd + PAGE_SIZE > vmStartGap(next)) return false;
  if (!doBrkFlags(mm, oldEnd, newEnd)) return false;
  if ((mm.defFlags & VM_LOCKED) !== 0) mmPopulate(mm, oldEnd, newEnd);
  return true;
}

/** Lets the heap's VMA grow, or makes one. @cite linux 6.1 mm/mmap.c do_brk_flags */
function doBrkFlags(mm: MmStruct, start: number, end: number): boolean {
  const flags = HEAP_FLAGS | mm.defFlags;
  if (mm.vmas.size > mm.maxMapCount || !mayCommit(mm, (end - start) / PAGE_SIZE)) return false;
  const prev = mm.vmas.lastBelow(start);
  const wanted = { flags, pkey: 0, file: null, anonVma: null };
  preallocateNodes(mm.system);
  mm.system.trace.add(EV.vma_tree_write);
  if (prev !== null && prev.end === start && obstacleAfter(prev, wanted, start / PAGE_SIZE) === null) {
    mm.vmas.setBounds(prev, prev.start, end);
    prev.flags |= VM_SOFTDIRTY;
    vmStatAccount(mm);
    return true;
  }
  const vma = vmAreaAlloc(mm, start, end, flags | VM_SOFTDIRTY, start / PAGE_SIZE);
  if (vma === null) return false;
  mm.vmas.insert(vma);
  vmStatAccount(mm);
  return true;
}
