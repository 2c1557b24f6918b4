/**
 * `struct page` as columns by pfn, and the page allocator behind it. A page is named by its pfn everywhere in the
 * model (`pfn_to_page` is a bijection); C's NULL is `NO_PAGE`.
 *
 * @cite linux 6.1 include/linux/mm_types.h page
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { BUDGET } from "../../core/budget.ts";
import type { Pfn } from "../../core/frames.ts";
import { outOfRange, wholeNumber } from "../../core/misuse.ts";
import { EV } from "../../trace/events.ts";
import type { Trace } from "../../trace/trace.ts";

/** Page flags, as bits of the `flags` column. @cite linux 6.1 include/linux/page-flags.h pageflags */
export const PG_reserved = 1 << 0;
export const PG_dirty = 1 << 1;
export const PG_referenced = 1 << 2;
/** A page that belongs to a user mapping of anonymous memory. @cite linux 6.1 include/linux/page-flags.h PageAnon */
export const PG_anon = 1 << 3;
/** The anonymous page belongs to one process only. @cite linux 6.1 include/linux/page-flags.h PG_anon_exclusive */
export const PG_anon_exclusive = 1 << 4;
/** A frame of another domain is mapped here. @cite linux 4.0 include/linux/page-flags.h PG_foreign */
export const PG_foreign = 1 << 5;
/** An anonymous page that MADV_FREE gave up: clean, it may be dropped. The inverse of Linux's PG_swapbacked. */
export const PG_lazyfree = 1 << 6;
/** The page lies where pages must stay movable (ZONE_MOVABLE, CMA). @cite linux 6.1 include/linux/mm.h is_longterm_pinnable_page */
export const PG_movable = 1 << 7;
/** A page of secret memory, out of the kernel's own map. @cite linux 6.1 include/linux/secretmem.h page_is_secretmem */
export const PG_secretmem = 1 << 8;
/** A file page that its file has given up: `page->mapping` is NULL. @cite linux 6.1 mm/truncate.c truncate_cleanup_folio */
export const PG_truncated = 1 << 9;
/** A page of a file whose file system must hear of writes. @cite linux 6.12 mm/gup.c gup_fast_folio_allowed */
export const PG_dirty_tracked = 1 << 10;

/** References of one pin. @cite linux 6.1 include/linux/mm.h GUP_PIN_COUNTING_BIAS */
export const GUP_PIN_COUNTING_BIAS = 1024;

/** Pages of a huge page. */
const HUGE = 512;

/** All `struct page` of one kernel. */
export class MemMap extends Shown {
  /** Pages 0 … nrPages-1 have a struct. */
  readonly nrPages: number;
  readonly refcount: Int32Array;
  /** Number of page tables that map the page, minus one, as Linux stores it. */
  readonly mapcount: Int32Array;
  readonly flags: Int32Array;
  /** `page->private`. Under m2p_override the foreign mfn; since Linux 4.0 what {@linkcode PG_foreign} pages carry. */
  readonly private: Float64Array;
  /** Injected failure: asked before each page; true = there is none. @cite linux 6.1 mm/page_alloc.c should_fail_alloc_page */
  failAllocation: (() => boolean) | null = null;
  readonly #trace: Trace;
  readonly #free: number[] = [];
  #nextFresh: number;
  /** End of the pages that the allocator hands out; what lies above belongs to somebody else. */
  #end: number;
  /** Huge pages lie in `[#huge, #hugeEnd)`. */
  #huge = Infinity;
  #hugeEnd = 0;
  #giveHuge: (page: number) => void = () => {};

  /**
   * Asked when the last reference known here goes: true if somebody who only counts holds another, and will count what it
   * takes to give the page back.
   */
  freedLater: ((page: number) => boolean) | null = null;
  /** Told of every page that was taken out whose last reference is given back like that of any page. */
  releasedOutside: ((page: number) => void) | null = null;

  /**
   * @param nrPages pages with a struct
   * @param nrReserved the first so many are reserved: never handed out, reference count 1
   */
  constructor(trace: Trace, nrPages: number, nrReserved = 1) {
    super();
    this.nrPages = wholeNumber("make a memory map of pages", nrPages, 2, BUDGET.domainFrames);
    this.#trace = trace;
    this.refcount = new Int32Array(nrPages);
    this.mapcount = new Int32Array(nrPages).fill(-1);
    this.flags = new Int32Array(nrPages);
    this.private = new Float64Array(nrPages);
    this.refcount.fill(1, 0, nrReserved);
    this.flags.fill(PG_reserved, 0, nrReserved);
    this.#nextFresh = nrReserved;
    this.#end = nrPages;
  }

  /** Keeps the last pages, `[first, nrPages)`, away from the allocator: their structs belong to the caller. */
  takeOut(first: number, end: number): void {
    if (end !== this.nrPages || first < this.#nextFresh || first > end) {
      throw outOfRange(
        "take pages out of the allocator from",
        first,
        "only fresh pages at the end can be taken out",
      );
    }
    this.#end = first;
  }

  /**
   * Sets aside blocks of 512 pages, aligned to their size, at the end of memory; answers the first page of the first.
   *
   * @param give called with the first page of a block when its last reference goes
   * @throws {RangeError} if there is not so much fresh memory
   */
  reserveHuge(nrBlocks: number, give: (page: number) => void): number {
    const first = this.#end - this.#end % HUGE - nrBlocks * HUGE;
    if (first < this.#nextFresh) {
      throw outOfRange(
        "set aside huge pages",
        nrBlocks,
        `only ${this.#end - this.#nextFresh} pages are fresh`,
      );
    }
    this.#huge = first;
    this.#hugeEnd = first + nrBlocks * HUGE;
    this.#end = first;
    this.#giveHuge = give;
    return first;
  }

  /** Pages below this one count for themselves: see {@linkcode compoundHead}. */
  get firstHugePage(): number {
    return this.#huge;
  }

  /** The page that counts for this one: the first of a huge page. @cite linux 6.1 include/linux/page-flags.h compound_head */
  compoundHead(page: number): number {
    return page < this.#huge || page >= this.#hugeEnd ? page : page - page % HUGE;
  }

  /** Starts the life of a page that was taken out: one reference, unmapped, no flags. */
  adopt(page: number): void {
    this.refcount[page] = 1;
    this.mapcount[page] = -1;
    this.flags[page] = 0;
    this.private[page] = 0;
  }

  /** True if the pfn has a struct. @cite linux 6.1 include/linux/mmzone.h pfn_valid */
  pfnValid(pfn: number): boolean {
    return pfn >= 0 && pfn < this.nrPages;
  }

  /** Pages that can still be taken. */
  get nrFree(): number {
    return this.#free.length + this.#end - this.#nextFresh;
  }

  /** A page with reference count 1, or `NO_PAGE` when there is none. @cite linux 6.1 mm/page_alloc.c __alloc_pages */
  allocPage(): number {
    if (this.failAllocation !== null && this.failAllocation()) return -1;
    let page = this.#free.pop() ?? -1;
    if (page < 0) {
      if (this.#nextFresh >= this.#end) return -1;
      page = this.#nextFresh++;
    }
    this.#trace.add(EV.page_alloc);
    this.adopt(page);
    return page;
  }

  /** One more reference. @cite linux 6.1 include/linux/mm.h get_page */
  getPage(page: number, references = 1): void {
    this.#trace.add(EV.refcount);
    this.refcount[page >= this.#huge ? this.compoundHead(page) : page]! += references;
  }

  /** References given back; the last one frees the page. @cite linux 6.1 include/linux/mm.h put_page */
  putPage(given: number, references = 1): void {
    const page = given >= this.#huge ? this.compoundHead(given) : given;
    this.#trace.add(EV.refcount);
    const left = this.refcount[page]! - references;
    this.refcount[page] = left;
    if (left === 0) {
      if (this.freedLater === null || !this.freedLater(page)) this.#trace.add(EV.page_free);
      // A page that was taken out has no frame to give: Linux would hand it out all the same. Here it is lost.
      if (page < this.#end) this.#free.push(page);
      else if (page >= this.#huge && page < this.#hugeEnd) this.#giveHuge(page);
      else this.releasedOutside?.(page);
    }
  }

  /** References of many pages given back: {@linkcode putPage} for each, the counts in one loop where none of them ends. */
  putPages(pages: readonly number[], references: number): void {
    const { refcount } = this;
    const huge = this.#huge;
    const isWatched = this.#trace.sink !== null;
    let kept = 0;
    for (let i = 0; i < pages.length; i++) {
      const page = pages[i]!;
      const left = page >= huge ? 0 : refcount[page]! - references;
      if (left === 0 || isWatched) this.putPage(page, references);
      else {
        refcount[page] = left;
        kept++;
      }
    }
    if (kept > 0) this.#trace.add(EV.refcount, kept);
  }

  /** One more page table maps the page. */
  addRmap(page: number): void {
    this.#trace.add(EV.mapcount);
    this.mapcount[page]! += 1;
  }

  /** One page table fewer; answers the count that `page_mapcount` would give afterwards. */
  removeRmap(page: number): number {
    this.#trace.add(EV.mapcount);
    const left = this.mapcount[page]! - 1;
    this.mapcount[page] = left;
    return left + 1;
  }

  /** How many page tables map the page. @cite linux 6.1 include/linux/mm.h page_mapcount */
  pageMapcount(page: number): number {
    return this.mapcount[page]! + 1;
  }

  /** The page of a pfn as a typed name, for people's edges. */
  pfnOfPage(page: number): Pfn {
    return page as Pfn;
  }

  override [viewOf](): View {
    return { line: `memory map: ${this.nrPages} pages, ${this.nrFree} free` };
  }
}
