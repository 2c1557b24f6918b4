/**
 * mremap to a place that the program chose (MREMAP_FIXED, MREMAP_DONTUNMAP): what counts as an error, in which order
 * target and source are looked at, and whether one VMA moves or all of the range.
 *
 * ```text
 *   AAAA..BBBB      the range, with a hole           moves "one VMA":  EFAULT, the range leaves A
 *   aaaa..bbbb      the target                       moves "all VMAs": both, hole kept; what lies under the hole stays
 * ```
 *
 * @module
 */

import { ok, type SysFailure, type SysResult } from "../../core/errno.ts";
import { refuse } from "./last_call.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { vmaLookup } from "./find_vma.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { moveVma } from "./move_vma.ts";
import { MREMAP_DONTUNMAP, MREMAP_FIXED } from "./mremap_flags.ts";
import { doMunmap } from "./munmap.ts";
import { linearPageIndex } from "./page_index.ts";
import { MAP_FIXED } from "./prot.ts";
import { getUnmappedArea } from "./unmapped_area.ts";
import type { Vma } from "./vma.ts";
import { VM_DONTEXPAND, VM_HUGETLB, VM_MAYSHARE, VM_PFNMAP, VM_SHARED } from "./vm_flags.ts";

/** Arguments of the call, lengths in whole pages. */
export interface Remap {
  readonly address: number;
  readonly oldLength: number;
  readonly newLength: number;
  /** MREMAP_* bits. */
  readonly flags: number;
}

/** What is wrong with the target, or null. @cite linux 6.1 mm/mremap.c mremap_to */
export function refuseTarget(mm: MmStruct, move: Remap, newAddress: number): SysFailure | null {
  const { address, oldLength, newLength } = move;
  if (newAddress % PAGE_SIZE !== 0) {
    return refuse(mm, "EINVAL", "mremap_to", "the new address is on no page boundary");
  }
  if (newLength > TASK_SIZE_MAX || newAddress > TASK_SIZE_MAX - newLength) {
    return refuse(mm, "EINVAL", "mremap_to", "the new range leaves user space");
  }
  if (address + oldLength > newAddress && newAddress + newLength > address) {
    return refuse(mm, "EINVAL", "mremap_to", "old and new range overlap");
  }
  if (mm.vmas.size + 2 < mm.maxMapCount - 3) return null;
  return refuse(mm, "ENOMEM", "mremap_to", `${mm.vmas.size} VMAs leave no room for the pieces`);
}

/** Checks, then moves. @cite linux 6.1 mm/mremap.c mremap_to */
export function mremapTo(mm: MmStruct, move: Remap, newAddress: number): SysResult<number> {
  const refused = refuseTarget(mm, move, newAddress);
  if (refused !== null) return refused;
  const keepsSize = move.oldLength === move.newLength;
  const movesAll = mm.system.flavour.mremap.moves === "all VMAs";
  return movesAll && keepsSize && (move.flags & MREMAP_FIXED) !== 0
    ? moveAll(mm, move, newAddress)
    : moveOne(mm, move, newAddress);
}

/**
 * Every VMA of the range keeps its distance from the one before, measured from where that one arrived. What moved before
 * an error stays moved.
 *
 * @cite linux 7.2 mm/mremap.c remap_move
 */
function moveAll(mm: MmStruct, { address, oldLength, flags }: Remap, newAddress: number): SysResult<number> {
  const end = address + oldLength;
  if (vmaLookup(mm, address) === null) {
    return refuse(mm, "EFAULT", "remap_move", "nothing is mapped at the address");
  }
  for (let at = address; at < end;) {
    const vma = mm.vmas.find(at);
    if (vma === null || vma.start >= end) break;
    const from = Math.max(vma.start, address);
    at = Math.min(vma.end, end);
    const part = { address: from, oldLength: at - from, newLength: at - from, flags };
    const moved = moveOne(mm, part, newAddress + from - address);
    if (!moved.ok) return moved;
  }
  return ok(newAddress);
}

function moveOne(mm: MmStruct, move: Remap, newAddress: number): SysResult<number> {
  const { address, newLength, flags } = move;
  let { oldLength } = move;
  const isFixed = (flags & MREMAP_FIXED) !== 0;
  if (mm.system.flavour.mremap.preparesFirst) {
    const fit = vmaToResize(mm, { ...move, oldLength: Math.min(oldLength, newLength) });
    if (!fit.ok) return fit;
  }
  if (isFixed) {
    const cleared = doMunmap(mm, newAddress, newLength);
    if (!cleared.ok) return cleared;
  }
  if (oldLength > newLength) {
    const cut = doMunmap(mm, address + newLength, oldLength - newLength);
    if (!cut.ok) return cut;
    oldLength = newLength;
  }
  const vma = vmaToResize(mm, { ...move, oldLength });
  if (!vma.ok) return vma;
  const area = getUnmappedArea(mm, newAddress, newLength, isFixed ? MAP_FIXED : 0);
  if (!area.ok) return area;
  return moveVma(vma.value, { ...move, oldLength, newAddress: area.value });
}

/** The VMA if it may change its size so. @cite linux 6.1 mm/mremap.c vma_to_resize */
export function vmaToResize(mm: MmStruct, { address, oldLength, newLength, flags }: Remap): SysResult<Vma> {
  const vma = vmaLookup(mm, address);
  if (vma === null) return refuse(mm, "EFAULT", "vma_to_resize", "nothing is mapped at the address");
  const rules = mm.system.flavour.mremap;
  if ((vma.flags & VM_HUGETLB) !== 0 && !rules.takesHugePages) {
    return refuse(mm, "EINVAL", "vma_to_resize", "huge pages cannot be remapped");
  }
  if (oldLength === 0 && (vma.flags & (VM_SHARED | VM_MAYSHARE)) === 0) {
    return refuse(mm, "EINVAL", "vma_to_resize", "old length 0 duplicates shared memory only");
  }
  const isFixedSize = (vma.flags & (VM_DONTEXPAND | VM_PFNMAP)) !== 0;
  if ((flags & MREMAP_DONTUNMAP) !== 0) {
    const isTaken = rules.dontunmapTakes === "resizable"
      ? !isFixedSize
      : vma.ops === null && (vma.flags & VM_SHARED) === 0;
    if (!isTaken) return refuse(mm, "EINVAL", "vma_to_resize", "MREMAP_DONTUNMAP does not take such a VMA");
  }
  if (oldLength > vma.end - address) return refuse(mm, "EFAULT", "vma_to_resize", "the range leaves the VMA");
  if (newLength === oldLength) return ok(vma);
  if (linearPageIndex(vma, address) + newLength / PAGE_SIZE >= 2 ** 64) {
    return refuse(mm, "EINVAL", "vma_to_resize", "the page offset wraps");
  }
  if (!isFixedSize) return ok(vma);
  return refuse(
    mm,
    "EFAULT",
    "vma_to_resize",
    "VM_DONTEXPAND or VM_PFNMAP: the VMA must not change its size",
  );
}
