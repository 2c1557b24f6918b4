/**
 * Where an address is inside the object behind its VMA.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import type { Vma } from "./vma.ts";

/** Page number of an address inside the object behind the VMA. @cite linux 6.1 include/linux/pagemap.h linear_page_index */
export function linearPageIndex(vma: Vma, address: number): number {
  return Math.floor((address - vma.start) / PAGE_SIZE) + vma.pgoff;
}
