/**
 * New pages on their way to the lists of the least recently used: each CPU gathers a few and puts them there together.
 * Only counts: nothing here is reclaimed, so nobody asks for the lists. All CPUs share one batch, since nothing is
 * concurrent.
 *
 * A page that waits is held by the batch. Most releases empty the batch before they zap, so nobody notices; where they do
 * not, a page zapped while it waits is given back to the allocator when the batch is full, and its cost moves from the
 * unmap to a later fault:
 *
 * ```text
 * touch 4, unmap 4    6.12   touch: 4 pages taken            unmap: 4 put on lists, 4 given back
 *                     7.2    touch: 4 taken, each 31st page  unmap: nothing of this
 *                            of all: 31 put on lists, those
 *                            unmapped meanwhile given back
 * ```
 *
 * @cite linux 6.1 mm/swap.c folio_add_lru
 * @module
 */

import { EV } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";

/** How a release gathers. */
export interface LruRules {
  /** Pages gathered. @cite linux 6.1 include/linux/pagevec.h PAGEVEC_SIZE */
  readonly batch: number;
  /** Before pages are zapped the batch is emptied. @cite linux 6.1 mm/mmap.c unmap_region */
  readonly drainsBeforeZap: boolean;
}

const GIVEN_BACK = -1;

/** The pages that wait. */
export class LruBatch {
  readonly #waiting: number[] = [];
  #givenBack = 0;

  constructor(readonly trace: Trace, readonly rules: LruRules) {}

  /** A new page waits for its list. @cite linux 6.1 mm/swap.c folio_add_lru */
  add(page: number): void {
    if (this.#waiting.push(page) >= this.rules.batch) this.drain();
  }

  /** Puts all that wait on their lists. @cite linux 6.1 mm/swap.c lru_add_drain */
  drain(): void {
    if (this.#waiting.length === 0) return;
    this.trace.add(EV.lru_add, this.#waiting.length);
    if (this.#givenBack > 0) this.trace.add(EV.page_free, this.#givenBack);
    this.#waiting.length = 0;
    this.#givenBack = 0;
  }

  /** The same, where the release does it before it zaps. */
  beforeZap(): void {
    if (this.rules.drainsBeforeZap) this.drain();
  }

  /** The last reference but the batch's own goes: true if the page waits, and is given back later. */
  holds(page: number): boolean {
    const at = this.#waiting.indexOf(page);
    if (at < 0) return false;
    this.#waiting[at] = GIVEN_BACK;
    this.#givenBack++;
    return true;
  }
}
