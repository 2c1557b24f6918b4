/**
 * The mark on a page at which a grant is mapped: whose it is and by which reference, so that a driver that passes the
 * page on (netback, from one guest to another) can name the original grant.
 *
 * The kernel keeps both in `page->private`, 16 bits and 32. m2p_override kept the machine frame there, so before
 * Linux 4.0 there was no such mark: the two wanted the same word.
 *
 * @cite linux 4.0 include/xen/grant_table.h xen_page_foreign
 * @module
 */

import { PG_foreign } from "../mm/page.ts";
import type { XenLinux } from "./xen_linux.ts";

/** `struct xen_page_foreign`. */
export interface PageForeign {
  readonly domid: number;
  readonly gref: number;
}

const DOMIDS = 2 ** 16;

/** Marks the page, unless the design needs the word. @cite linux 6.1 drivers/xen/grant-table.c gnttab_map_refs */
export function setPageForeign(kernel: XenLinux, page: number, { domid, gref }: PageForeign): void {
  if (!kernel.kernelHalf.marksPages) return;
  const { memMap } = kernel.system;
  memMap.flags[page]! |= PG_foreign;
  memMap.private[page] = gref * DOMIDS + domid;
}

/** The mark goes; the word stays as it is. @cite linux 6.1 drivers/xen/grant-table.c gnttab_unmap_refs */
export function clearPageForeign(kernel: XenLinux, page: number): void {
  kernel.system.memMap.flags[page]! &= ~PG_foreign;
}

/**
 * The grant that is mapped at the page, or null if none is (or the design leaves no mark).
 *
 * @example
 * ```ts
 * import { world } from "grantlab";
 * import { xenPageForeign } from "grantlab/linux/xen";
 * const w = world();
 * w.process().mmapGrants(w.guest.grant(1));
 * const page = w.dom0.frames.length; // the first of the pages without memory
 * if (xenPageForeign(w.kernel, page)?.gref !== 8) throw new Error();
 * ```
 */
export function xenPageForeign(kernel: XenLinux, page: number): PageForeign | null {
  const { memMap } = kernel.system;
  if ((memMap.flags[page]! & PG_foreign) === 0) return null;
  const word = memMap.private[page]!;
  return { domid: word % DOMIDS, gref: Math.floor(word / DOMIDS) };
}
