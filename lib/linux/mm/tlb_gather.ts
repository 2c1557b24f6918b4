/**
 * What a change of page tables owes the TLBs: one range, flushed once at the end. Nothing changed, nothing owed.
 *
 * @cite linux 6.1 include/asm-generic/tlb.h mmu_gather
 * @module
 */

import type { MmStruct } from "./mm_struct.ts";

/** The range owed. */
export class MmuGather {
  #start = Infinity;
  #end = 0;

  constructor(readonly mm: MmStruct) {}

  /** True if nothing is owed. */
  get isEmpty(): boolean {
    return this.#end <= this.#start;
  }

  /** Translations of `[start, end)` may be stale. @cite linux 6.1 include/asm-generic/tlb.h __tlb_adjust_range */
  add(start: number, end: number): void {
    this.#start = Math.min(this.#start, start);
    this.#end = Math.max(this.#end, end);
  }

  /** Pays. @cite linux 6.1 mm/mmu_gather.c tlb_finish_mmu */
  finish(): void {
    if (this.isEmpty) return;
    this.mm.system.pv.flushTlbRange(this.mm, this.#start, this.#end);
    this.#start = Infinity;
    this.#end = 0;
  }
}
