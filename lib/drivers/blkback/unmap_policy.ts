/**
 * How the pages of a finished request are unmapped: when nobody holds them any more, as since Linux 4.0, or at once, as
 * before. The difference is what storage that keeps pages after completion sees.
 *
 * @module
 */

import { gnttabUnmapRefs, gnttabUnmapRefsAsync, type UnmapItem } from "../../linux/xen/gnttab.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";

/** One way. */
export interface UnmapPolicy {
  readonly name: string;
  /** Unmaps the item's batch and calls its `done`, now or later. */
  unmap(kernel: XenLinux, item: UnmapItem): void;
}

/** Waits until each page has one reference. @cite linux 4.0 drivers/block/xen-blkback/blkback.c xen_blkbk_unmap_and_respond */
export const safeUnmap: UnmapPolicy = Object.freeze({ name: "safe unmap", unmap: gnttabUnmapRefsAsync });

/** Does not look. @cite linux 3.19 drivers/block/xen-blkback/blkback.c xen_blkbk_unmap */
export const unmapAtOnce: UnmapPolicy = Object.freeze({
  name: "unmap at once",
  unmap: (kernel: XenLinux, item: UnmapItem) => item.done(gnttabUnmapRefs(kernel, item.batch)),
});
