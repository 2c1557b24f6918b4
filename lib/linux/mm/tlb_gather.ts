/**
 * What a change of page tables owes the TLBs: one range, flushed once at the end. Nothing changed, nothing owed.
 *
 * @cite linux 6.1 include/asm-generic/tlb.h mmu_gather
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { decidedRange } from "./last_call.ts";
import { EV } from "../../trace/events.ts";
import type { MmStruct } from "./mm_struct.ts";
import { TLB_SINGLE_PAGE_FLUSH_CEILING } from "./paravirt.ts";

/** Pages listed in the batch itself. @cite linux 6.1 include/asm-generic/tlb.h MMU_GATHER_BUNDLE */
const MMU_GATHER_BUNDLE = 8;
/** Pages listed in each further page: pointers, behind two words. @cite linux 6.1 include/asm-generic/tlb.h MAX_GATHER_BATCH */
const MAX_GATHER_BATCH = 510;

/** The range owed. */
export class MmuGather {
  #start = Infinity;
  #end = 0;
  #nrPages = 0;

  /** @param isBatch pages and tables may wait in it, which is set up and counted; a range alone costs nothing by itself */
  constructor(readonly mm: MmStruct, isBatch = true) {
    if (isBatch) mm.system.trace.add(EV.tlb_gather);
  }

  /** True if nothing is owed. */
  get isEmpty(): boolean {
    return this.#end <= this.#start;
  }

  /** Translations of `[start, end)` may be stale. @cite linux 6.1 include/asm-generic/tlb.h __tlb_adjust_range */
  add(start: number, end: number): void {
    this.#start = Math.min(this.#start, start);
    this.#end = Math.max(this.#end, end);
  }

  /**
   * A page waits to be given back until the TLBs are paid. Those beyond the first few need a page to be listed in, taken
   * and cleared here and given back at the end: counted, since nobody can run out of memory by it.
   *
   * @cite linux 6.1 mm/mmu_gather.c tlb_next_batch
   */
  addPage(): void {
    const waiting = this.#nrPages++ - MMU_GATHER_BUNDLE;
    if (waiting < 0 || waiting % MAX_GATHER_BATCH !== 0) return;
    const { trace } = this.mm.system;
    trace.add(EV.page_alloc);
    trace.add(EV.page_clear);
    trace.add(EV.page_free);
  }

  /** Those that wait, a list after the other. @cite linux 6.1 mm/mmu_gather.c tlb_batch_pages_flush */
  #giveBack(): void {
    if (this.#nrPages === 0) return;
    const further = Math.max(0, this.#nrPages - MMU_GATHER_BUNDLE);
    this.mm.system.trace.add(EV.tlb_batch, 1 + Math.ceil(further / MAX_GATHER_BATCH));
    this.#nrPages = 0;
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
    this.#giveBack();
    if (!this.mm.system.owesYield) return;
    this.mm.system.owesYield = false;
    this.mm.system.condResched();
  }
}
