/**
 * Looking an address up, counted. The tree itself counts nothing.
 *
 * @module
 */

import { EV } from "../../trace/events.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { Vma } from "./vma.ts";

/** The first VMA that ends above `address` (it may start above it, too), or null. @cite linux 6.1 mm/mmap.c find_vma */
export function findVma(mm: MmStruct, address: number): Vma | null {
  mm.system.trace.add(EV.vma_find);
  return mm.vmas.find(address) ?? null;
}

/** The VMA that holds `address`, or null. @cite linux 6.1 include/linux/mm.h vma_lookup */
export function vmaLookup(mm: MmStruct, address: number): Vma | null {
  const vma = findVma(mm, address);
  return vma !== null && vma.contains(address) ? vma : null;
}
