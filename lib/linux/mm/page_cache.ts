/**
 * The pages of one file in memory. Every page here holds one reference of the cache.
 *
 * Left out: files on disk (nothing is ever read in or written back), and the states a page goes through meanwhile.
 *
 * @cite linux 6.1 include/linux/fs.h address_space
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { withinBudget } from "../../core/budget.ts";
import { maddrOf } from "../../core/frames.ts";
import { EV } from "../../trace/events.ts";
import type { MmSystem } from "./mm_system.ts";
import { PG_dirty } from "./page.ts";
import { NO_PAGE } from "./vm_ops.ts";

/** The cache of a file that lives in memory alone. */
export class PageCache extends Shown {
  readonly #pages = new Map<number, number>();

  /** @param nrPages size of the file in pages; an access beyond is SIGBUS */
  constructor(readonly system: MmSystem, public nrPages: number) {
    super();
  }

  /** Pages in memory. */
  get nrCached(): number {
    return this.#pages.size;
  }

  /** The page at an offset, or `NO_PAGE`. */
  find(pgoff: number): number {
    return this.#pages.get(pgoff) ?? NO_PAGE;
  }

  /** The page at an offset, cleared and added if need be; `NO_PAGE` without memory. @cite linux 6.1 mm/shmem.c shmem_get_folio_gfp */
  findOrAdd(pgoff: number): number {
    const found = this.find(pgoff);
    if (found !== NO_PAGE) return found;
    const { system } = this;
    const page = system.memMap.allocPage();
    if (page === NO_PAGE) return NO_PAGE;
    system.trace.add(EV.page_clear);
    system.mem.clearFrame(system.frameOf(page));
    system.memMap.flags[page]! |= PG_dirty;
    this.#pages.set(pgoff, page);
    return page;
  }

  /**
   * Fills whole pages, as `write` on the descriptor does.
   *
   * @param byteOf value of every byte of page `pgoff`
   * @throws {RangeError} above the budget `pagesPerCall`, or without memory
   */
  fill(byteOf: (pgoff: number) => number): void {
    withinBudget("fill a file of pages", this.nrPages, "pagesPerCall");
    for (let pgoff = 0; pgoff < this.nrPages; pgoff++) {
      const page = this.findOrAdd(pgoff);
      if (page === NO_PAGE) throw new RangeError("Cannot fill a file: no page of memory is left");
      this.system.mem.fillFrame(this.system.frameOf(page), byteOf(pgoff));
    }
  }

  /** One byte of a cached page. */
  read8(pgoff: number, offset: number): number {
    const page = this.find(pgoff);
    return page === NO_PAGE ? 0 : this.system.mem.read8(maddrOf(this.system.frameOf(page), offset));
  }

  /** The pages and their offsets, in no order. */
  entries(): IterableIterator<[pgoff: number, page: number]> {
    return this.#pages.entries();
  }

  /** Gives the pages `[first, end)` up. @cite linux 6.1 mm/shmem.c shmem_undo_range */
  remove(first: number, end: number): void {
    for (const [pgoff, page] of this.#pages) {
      if (pgoff < first || pgoff >= end) continue;
      this.#pages.delete(pgoff);
      this.system.memMap.putPage(page);
    }
  }

  /** Gives all pages up. */
  drop(): void {
    for (const page of this.#pages.values()) this.system.memMap.putPage(page);
    this.#pages.clear();
  }

  override [viewOf](): View {
    return { line: `page cache of ${this.nrPages} pages` };
  }
}
