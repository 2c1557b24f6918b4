/**
 * mincore: which pages are in memory. A page that is not mapped but in the page cache counts.
 *
 * Left out: the refusal to tell about files the process may not write.
 *
 * @module
 */

import { enterCall, refuse } from "./last_call.ts";
import { ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { hugeSlot } from "./hugetlb_fault.ts";
import { vmaLookup } from "./find_vma.ts";
import { ptePresent } from "./memory.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { pageAlign, type UserWord, userWord } from "./page_range.ts";
import { lookupSlot, rawFlags } from "./pgtable.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import { NO_PAGE } from "./vm_ops.ts";

/**
 * The system call; answers 0 or 1 for each page.
 *
 * @returns EINVAL for an unaligned address, ENOMEM for a range that leaves user space or over a gap
 * @cite linux 6.1 mm/mincore.c mincore
 */
export function mincore(mm: MmStruct, address: UserWord, length: UserWord): SysResult<(0 | 1)[]> {
  enterCall(mm, "mincore");
  const start = userWord("an address", address);
  const bytes = userWord("a length", length);
  if (start % PAGE_SIZE !== 0) return refuse(mm, "EINVAL", "mincore", "the address is on no page boundary");
  if (start > TASK_SIZE_MAX || bytes > TASK_SIZE_MAX - start) {
    return refuse(mm, "ENOMEM", "mincore", "the range leaves user space");
  }
  mm.mmapLock();
  const answers: (0 | 1)[] = [];
  for (let at = start; at < start + pageAlign(bytes); at += PAGE_SIZE) {
    const vma = vmaLookup(mm, at);
    if (vma === null) return refuse(mm, "ENOMEM", "do_mincore", "nothing is mapped in a part of the range");
    answers.push(isInCore(vma, at) ? 1 : 0);
  }
  return ok(answers);
}

/** @cite linux 6.1 mm/mincore.c mincore_pte_range */
function isInCore(vma: Vma, address: number): boolean {
  if (hugeSlot(vma.mm, address) >= 0) return true;
  const slot = lookupSlot(vma.mm, address);
  if (slot >= 0 && ptePresent(rawFlags(vma.mm.system, slot))) return true;
  const cache = vma.file?.pageCache ?? null;
  return cache !== null && cache.find(linearPageIndex(vma, address)) !== NO_PAGE;
}
