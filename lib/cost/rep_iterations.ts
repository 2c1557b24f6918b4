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

/**
 * Bytes that a release clears with a string instruction when it takes these objects from the slab allocator: objects are
 * cleared when taken (init_on_alloc), from 6.12 on without one. A node of the maple tree has 256 bytes.
 *
 * @cite linux 6.1 include/linux/maple_tree.h maple_node
 * @cite recorded costs.jsonl mmap_anon
 */
const CLEARED: Readonly<Record<string, { readonly treeNode: number; readonly vma: number }>> = {
  linux5_10: { treeNode: 0, vma: 192 },
  linux6_1: { treeNode: 256, vma: 200 },
};
const NOTHING_CLEARED = { treeNode: 0, vma: 0 } as const;

/**
 * Iterations in a run.
 *
 * @param kernel release that ran
 *
 * @example
 * ```ts
 * import { repIterations } from "grantlab/cost";
 * if (repIterations({ page_clear: 1 }, { erms: true }, "linux6_1").kernel !== 4096) throw new Error();
 * if (repIterations({ page_clear: 1 }, { erms: false }, "linux6_1").kernel !== 512) throw new Error();
 * ```
 */
export function repIterations(counts: CostCounts, { erms }: CpuModel, kernel: string): RepIterations {
  const cleared = CLEARED[kernel] ?? NOTHING_CLEARED;
  const { page_clear = 0, page_copy = 0, bytes_cleared = 0, bytes_copied = 0, words_copied = 0 } = counts;
  const bytes = page_clear * PAGE_BYTES + bytes_cleared + bytes_copied +
    (counts.vma_tree_prealloc ?? 0) * cleared.treeNode + (counts.vma_alloc ?? 0) * cleared.vma;
  return {
    user: counts.user_rep_iteration ?? 0,
    kernel: (erms ? bytes : bytes / WORD_BYTES) + page_copy * (PAGE_BYTES / WORD_BYTES) + words_copied,
    xen: (counts.xen_copy_bytes ?? 0) / WORD_BYTES,
  };
}
