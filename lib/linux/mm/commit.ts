/**
 * May the process promise itself so much memory? Overcommit mode 0: only a single wish above all memory is refused.
 *
 * @cite linux 6.1 mm/util.c __vm_enough_memory
 * @module
 */

import type { MmStruct } from "./mm_struct.ts";

/** True if a wish for so many pages at once is not hopeless. */
export function mayCommit(mm: MmStruct, nrPages: number): boolean {
  return nrPages <= mm.system.memMap.nrPages;
}
