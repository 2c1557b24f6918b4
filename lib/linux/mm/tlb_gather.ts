/**
 * What a change of page tables owes the TLBs: one range, flushed once at the end. Nothing changed, nothing owed.
 *
 * @cite linux 6.1 include/asm-generic/tlb.h mmu_gather
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { decidedRange } from "./last_call.ts";
import type { MmStruct } from "./mm_struct.ts";
import { TLB_SINGLE_PAGE_FLUSH_CEILING } from "./paravirt.ts";

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

  get #flushVerb(): string {
    const pages = (this.#end - this.#start) / PAGE_SIZE;
    return pages > TLB_SINGLE_PAGE_FLUSH_CEILING
      ? `flushes everything for ${pages} pages,`
      : "flushes page by page";
  }

  /** Pays. @cite linux 6.1 mm/mmu_gather.c tlb_finish_mmu */
  finish(): void {
    if (this.isEmpty) return;
    decidedRange(this.mm, "tlb_finish_mmu", this.#flushVerb, this.#start, this.#end);
    this.mm.system.pv.flushTlbRange(this.mm, this.#start, this.#end);
    this.#start = Infinity;
    this.#end = 0;
    if (!this.mm.system.owesYield) return;
    this.mm.system.owesYield = false;
    this.mm.system.condResched();
  }
}
