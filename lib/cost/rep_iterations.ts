/**
 * How many iterations of string instructions the counted events are: one executed instruction each. A rule of the
 * processor and of the kernel's choice of routine, not a price.
 *
 * With ERMS the kernel clears and copies byte by byte (`rep stosb`, `rep movsb`), without it eight bytes at a time; copies
 * inside the kernel (`memcpy`, `copy_page`) move words on both.
 *
 * @cite linux 6.1 arch/x86/lib/clear_page_64.S clear_page_erms
 * @module
 */

import type { CostCounts } from "./operations.ts";

/** What of the processor matters to a count of instructions. */
export interface CpuModel {
  /** Enhanced REP MOVSB/STOSB. */
  readonly erms: boolean;
}

/** Iterations by layer. */
export interface RepIterations {
  readonly user: number;
  readonly kernel: number;
  readonly xen: number;
}

const PAGE_BYTES = 4096;
const WORD_BYTES = 8;

/** Nodes set aside for one change of a tree of two levels, and the bytes of each; all are cleared. @cite linux 6.1 lib/maple_tree.c mas_preallocate */
const TREE_NODE_BYTES = 7 * 256;

/** Bytes of a VMA structure; objects are cleared when taken (init_on_alloc). @cite linux 6.1 include/linux/mm_types.h vm_area_struct */
const VMA_BYTES = 200;

/**
 * Iterations in a run.
 *
 * @example
 * ```ts
 * import { repIterations } from "grantlab/cost";
 * if (repIterations({ page_clear: 1 }, { erms: true }).kernel !== 4096) throw new Error();
 * if (repIterations({ page_clear: 1 }, { erms: false }).kernel !== 512) throw new Error();
 * ```
 */
export function repIterations(counts: CostCounts, { erms }: CpuModel): RepIterations {
  const { page_clear = 0, page_copy = 0, bytes_cleared = 0, bytes_copied = 0, words_copied = 0 } = counts;
  const bytes = page_clear * PAGE_BYTES + bytes_cleared + bytes_copied +
    (counts.vma_tree_prealloc ?? 0) * TREE_NODE_BYTES + (counts.vma_alloc ?? 0) * VMA_BYTES;
  return {
    user: counts.user_rep_iteration ?? 0,
    kernel: (erms ? bytes : bytes / WORD_BYTES) + page_copy * (PAGE_BYTES / WORD_BYTES) + words_copied,
    xen: (counts.xen_copy_bytes ?? 0) / WORD_BYTES,
  };
}
