/**
 * Growing a VMA with VM_GROWSDOWN to an address below it.
 *
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { anonVmaPrepare } from "./anon_vma.ts";
import { mayCommit } from "./commit.ts";
import { MMAP_MIN_ADDR, STACK_GUARD_GAP } from "./unmapped_area.ts";
import { pageOf, type Vma } from "./vma.ts";
import { VM_ACCESS_FLAGS, VM_GROWSDOWN } from "./vm_flags.ts";
import { preallocateNodes } from "./tree_nodes.ts";

/**
 * Extends the VMA down to the page of `address`; null if that worked.
 *
 * @returns EFAULT if the VMA may not grow, EPERM below the lowest address, ENOMEM within the guard gap of a mapping
 *   below that is accessible and does not grow itself, or beyond RLIMIT_STACK
 * @cite linux 6.1 mm/mmap.c expand_downwards
 */
export function expandDownwards(vma: Vma, address: number): Errno | null {
  if ((vma.flags & VM_GROWSDOWN) === 0) return "EFAULT";
  const { mm } = vma;
  const start = pageOf(address);
  if (start < MMAP_MIN_ADDR) return "EPERM";
  const prev = mm.vmas.prev(vma);
  if (
    prev !== null && (prev.flags & VM_GROWSDOWN) === 0 && (prev.flags & VM_ACCESS_FLAGS) !== 0 &&
    start - prev.end < STACK_GUARD_GAP
  ) return "ENOMEM";
  anonVmaPrepare(vma);
  if (start >= vma.start) return null;
  const grow = (vma.start - start) / PAGE_SIZE;
  if (grow > vma.pgoff || vma.end - start > mm.stackLimit || !mayCommit(mm, grow)) return "ENOMEM";
  mm.vmas.setBounds(vma, start, vma.end);
  vma.pgoff -= grow;
  preallocateNodes(mm.system);
  mm.system.trace.add(EV.vma_tree_write);
  return null;
}
