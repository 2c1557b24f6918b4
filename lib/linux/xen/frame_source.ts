/**
 * Where pages for foreign mappings come from: pages without a frame of their own, because their memory was ballooned
 * out. Linux before 4.0 could also use pages with a frame, which then had to be put back; no design here does.
 *
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_alloc_pages
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { hex } from "../../core/show.ts";
import type { MemMap } from "../mm/page.ts";

/** Pages `[first, end)` of the memory map, none of them with a frame. */
export class FrameSource extends Shown {
  readonly #free: number[] = [];
  #next: number;

  constructor(readonly memMap: MemMap, readonly first: number, readonly end: number) {
    super();
    this.#next = first;
    memMap.takeOut(first, end);
  }

  /** True for pages from here. */
  owns(page: number): boolean {
    return page >= this.first && page < this.end;
  }

  /** Pages that can still be taken. */
  get nrFree(): number {
    return this.#free.length + this.end - this.#next;
  }

  /** `n` pages with reference count 1, or null when there are not so many. */
  alloc(n: number): number[] | null {
    if (n > this.nrFree) return null;
    const pages: number[] = [];
    while (pages.length < n) {
      const page = this.#free.pop() ?? this.#next++;
      this.memMap.adopt(page);
      pages.push(page);
    }
    return pages;
  }

  /** Takes pages back. @cite linux 6.1 drivers/xen/grant-table.c gnttab_free_pages */
  free(pages: readonly number[]): void {
    for (const page of pages) {
      this.memMap.refcount[page] = 0;
      this.#free.push(page);
    }
  }

  override [viewOf](): View {
    return { line: `ballooned pages: ${this.nrFree} free, up to pfn ${hex(this.end)}` };
  }
}
