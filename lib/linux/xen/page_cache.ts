/**
 * A back end's stock of pages without memory of their own, at which it maps grants: the last one put back is the first
 * taken, an empty stock asks the kernel, a full one is shrunk from time to time.
 *
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_page_cache_get
 * @module
 */

import { allocSlot } from "../mm/pgtable.ts";
import type { XenLinux } from "./xen_linux.ts";

/** The stock of one user. */
export class GnttabPageCache {
  readonly #free: number[] = [];

  constructor(readonly kernel: XenLinux) {}

  /** Pages in stock. */
  get size(): number {
    return this.#free.length;
  }

  /** A page, or -1 if the kernel has none either. @cite linux 6.1 drivers/xen/grant-table.c gnttab_page_cache_get */
  get(): number {
    const page = this.#free.pop();
    if (page !== undefined) return page;
    const { kernel } = this;
    const fresh = kernel.frameSource.alloc(1)?.[0] ?? -1;
    // Xen writes into a page table that must be there.
    if (fresh >= 0 && allocSlot(kernel.initMm, kernel.kernelAddress(fresh)) < 0) {
      kernel.frameSource.free([fresh]);
      return -1;
    }
    return fresh;
  }

  /** Puts pages back. @cite linux 6.1 drivers/xen/grant-table.c gnttab_page_cache_put */
  put(pages: readonly number[]): void {
    this.#free.push(...pages);
  }

  /** Gives the kernel what is more than `limit`. @cite linux 6.1 drivers/xen/grant-table.c gnttab_page_cache_shrink */
  shrink(limit: number): void {
    if (this.#free.length > limit) this.kernel.frameSource.free(this.#free.splice(limit));
  }

  /** The pages in stock, the next one to be taken last. */
  pages(): readonly number[] {
    return this.#free;
  }
}
