/**
 * Where a mapping goes whose address the program leaves open: at its hint if that is free, else top down below the
 * stack, else bottom up.
 *
 * @module
 */

import { ok, type SysResult } from "../../core/errno.ts";
import { refuse } from "./last_call.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { MAP_FIXED } from "./prot.ts";
import type { Vma } from "./vma.ts";
import { VM_GROWSDOWN } from "./vm_flags.ts";

/** Bytes kept free below a VMA that may grow. @cite linux 6.1 mm/mmap.c stack_guard_gap */
export const STACK_GUARD_GAP: number = 256 * PAGE_SIZE;

/** Lowest address that is given out. @cite linux 6.1 mm/mmap.c mmap_min_addr */
export const MMAP_MIN_ADDR = 65536;

/** Where the room that a VMA claims begins. @cite linux 6.1 include/linux/mm.h vm_start_gap */
export function vmStartGap(vma: Vma): number {
  return (vma.flags & VM_GROWSDOWN) !== 0 ? Math.max(0, vma.start - STACK_GUARD_GAP) : vma.start;
}

/**
 * An address for a mapping of `length` bytes (page aligned).
 *
 * @param alignment bytes the address must be a multiple of
 * @returns ENOMEM if there is no room or a fixed address lies outside user space, EINVAL if a fixed one is not aligned
 * @cite linux 6.1 mm/mmap.c get_unmapped_area
 */
export function getUnmappedArea(
  mm: MmStruct,
  hint: number,
  length: number,
  mapFlags: number,
  alignment: number = PAGE_SIZE,
): SysResult<number> {
  if (length > TASK_SIZE_MAX) return refuse(mm, "ENOMEM", "get_unmapped_area", "longer than user space");
  const isFixed = (mapFlags & MAP_FIXED) !== 0;
  const address = isFixed ? hint : searchAligned(mm, hint, length, alignment);
  if (address < 0) return refuse(mm, "ENOMEM", "get_unmapped_area", "no hole is large enough");
  if (address > TASK_SIZE_MAX - length) {
    return refuse(mm, "ENOMEM", "get_unmapped_area", "the range leaves user space");
  }
  if (address % alignment === 0) return ok(address);
  return refuse(mm, "EINVAL", "get_unmapped_area", "the address is on no boundary of its pages");
}

/** The highest aligned address of a hole with room to align in. @cite linux 6.1 include/linux/mm.h vm_unmapped_area_info align_mask */
function searchAligned(mm: MmStruct, hint: number, length: number, alignment: number): number {
  if (alignment === PAGE_SIZE) return searchArea(mm, hint, length);
  const slack = alignment - PAGE_SIZE;
  const aligned = Math.ceil(hint / alignment) * alignment;
  const address = searchArea(mm, aligned, length);
  if (address < 0 || address % alignment === 0) return address;
  const roomy = searchArea(mm, 0, length + slack);
  return roomy < 0 ? roomy : Math.floor((roomy + slack) / alignment) * alignment;
}

/** @cite linux 6.1 arch/x86/kernel/sys_x86_64.c arch_get_unmapped_area_topdown */
function searchArea(mm: MmStruct, hint: number, length: number): number {
  if (hint > 0) {
    const address = hint - hint % PAGE_SIZE;
    if (address <= TASK_SIZE_MAX - length) {
      const next = mm.vmas.find(address);
      if (next === null || address + length <= vmStartGap(next)) return address;
    }
  }
  const high = topDown(mm, length);
  return high >= 0 ? high : bottomUp(mm, length);
}

/** The highest hole below `mmapBase`. @cite linux 6.1 mm/mmap.c unmapped_area_topdown */
function topDown(mm: MmStruct, length: number): number {
  let above: Vma | null = mm.vmas.find(mm.mmapBase - 1);
  let ceiling = above === null ? mm.mmapBase : Math.min(mm.mmapBase, vmStartGap(above));
  for (;;) {
    const below: Vma | null = above === null ? mm.vmas.lastBelow(mm.mmapBase) : mm.vmas.prev(above);
    const floor = Math.max(below?.end ?? 0, PAGE_SIZE);
    if (ceiling - floor >= length) return Math.max(ceiling - length, 0);
    if (below === null) return -1;
    ceiling = Math.min(mm.mmapBase, vmStartGap(below));
    above = below;
  }
}

/** The lowest hole above a third of user space. @cite linux 6.1 arch/x86/kernel/sys_x86_64.c arch_get_unmapped_area */
function bottomUp(mm: MmStruct, length: number): number {
  let floor = Math.ceil(TASK_SIZE_MAX / 3 / PAGE_SIZE) * PAGE_SIZE;
  for (let vma = mm.vmas.find(floor); vma !== null; vma = mm.vmas.next(vma)) {
    if (vmStartGap(vma) - floor >= length) return floor;
    floor = Math.max(floor, vma.end);
  }
  return TASK_SIZE_MAX - floor >= length ? floor : -1;
}

/** A hint below the lowest address is raised to it. @cite linux 6.1 mm/mmap.c round_hint_to_min */
export function roundHintToMin(hint: number): number {
  const page = hint - hint % PAGE_SIZE;
  return page !== 0 && page < MMAP_MIN_ADDR ? MMAP_MIN_ADDR : page;
}
