/**
 * Linux's helpers between a driver and the grant hypercalls: map and unmap with the p2m kept true, and the unmap that
 * waits until nobody holds the pages any more.
 *
 * Left out: the kernel's line about a maptrack that is full.
 *
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_map_refs
 * @module
 */

import {
  type GnttabCopy,
  GNTTABOP_copy,
  GNTTABOP_map_grant_ref,
  GNTTABOP_unmap_grant_ref,
} from "../../xen/abi.ts";
import { GNTST_bad_page, GNTST_eagain, GNTST_okay } from "../../xen/status.ts";
import type { MapBatch, UnmapBatch } from "./foreign/kernel_half.ts";
import { type GrantOp, HYPERVISOR_grant_table_op } from "./hypercalls.ts";
import { clearPageForeign, setPageForeign } from "./page_foreign.ts";
import type { XenLinux } from "./xen_linux.ts";

/** First wait of a deferred unmap; each further wait is longer by as much. @cite linux 4.0 drivers/xen/grant-table.c GNTTAB_UNMAP_REFS_DELAY */
export const GNTTAB_UNMAP_REFS_DELAY_MS = 5;

/**
 * Maps a batch: the user's half, then the kernel's with the p2m. Statuses and handles are in the operations.
 *
 * @returns 0, or the errno of the hypercall itself as a negative number
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_map_refs
 */
export function gnttabMapRefs(kernel: XenLinux, batch: MapBatch): number {
  return kernel.hv.trace.span("gnttab_map_refs", () => mapRefs(kernel, batch));
}

function mapRefs(kernel: XenLinux, batch: MapBatch): number {
  const rc = HYPERVISOR_grant_table_op(kernel, GNTTABOP_map_grant_ref, batch.mapOps);
  if (rc !== 0) return rc;
  batch.mapOps.forEach((op, i) => {
    if (op.status === GNTST_eagain) gnttabRetryEagainGop(kernel, GNTTABOP_map_grant_ref, op);
    if (op.status === GNTST_okay) setPageForeign(kernel, batch.pages[i]!, { domid: op.dom, gref: op.ref });
  });
  kernel.kernelHalf.set(kernel, batch);
  return 0;
}

/** Copies a batch; statuses are in the operations. @cite linux 6.1 drivers/xen/grant-table.c gnttab_batch_copy */
export function gnttabBatchCopy(kernel: XenLinux, ops: readonly GnttabCopy[]): void {
  HYPERVISOR_grant_table_op(kernel, GNTTABOP_copy, ops);
  for (const op of ops) if (op.status === GNTST_eagain) gnttabRetryEagainGop(kernel, GNTTABOP_copy, op);
}

/** Longest wait for a frame that is paged out, and the number of tries. @cite linux 6.1 drivers/xen/grant-table.c MAX_DELAY */
export const MAX_DELAY = 256;

/**
 * An operation on a frame that the granter's host has paged out: tried again, first at once, then after 1, 2, … 255 ms
 * on the kernel's clock; what is due meanwhile runs. A frame that does not come back ends as a bad page.
 *
 * @cite linux 6.1 drivers/xen/grant-table.c gnttab_retry_eagain_gop
 */
export function gnttabRetryEagainGop(
  kernel: XenLinux,
  cmd: number,
  op: GrantOp & { status: number },
): void {
  let delay = 1;
  do {
    HYPERVISOR_grant_table_op(kernel, cmd, [op]);
    if (op.status === GNTST_eagain) kernel.work.advance(delay++);
  } while (op.status === GNTST_eagain && delay < MAX_DELAY);
  if (delay < MAX_DELAY) return;
  kernel.system.printk("driver-message", "gnttab_retry_eagain_gop", "eagain grant");
  op.status = GNTST_bad_page;
}

/** Unmaps a batch at once. @cite linux 6.1 drivers/xen/grant-table.c gnttab_unmap_refs */
export function gnttabUnmapRefs(kernel: XenLinux, batch: UnmapBatch): number {
  return kernel.hv.trace.span("gnttab_unmap_refs", () => unmapRefs(kernel, batch));
}

function unmapRefs(kernel: XenLinux, batch: UnmapBatch): number {
  const rc = HYPERVISOR_grant_table_op(kernel, GNTTABOP_unmap_grant_ref, batch.unmapOps);
  if (rc !== 0) return rc;
  for (const page of batch.pages) clearPageForeign(kernel, page);
  kernel.kernelHalf.clear(kernel, batch);
  return 0;
}

/** Unmaps the first operations of a batch and leaves page, mark and kernel's half as they are. */
export function gnttabUnmapUserHalf(kernel: XenLinux, batch: UnmapBatch): number {
  return HYPERVISOR_grant_table_op(kernel, GNTTABOP_unmap_grant_ref, batch.unmapOps);
}

/** A batch that waits to be unmapped: the kernel's `struct gntab_unmap_queue_data`. */
export interface UnmapItem {
  batch: UnmapBatch;
  /** Called with the result of {@linkcode gnttabUnmapRefs}. */
  done: (rc: number) => void;
  /** Waits so far. */
  age: number;
  /** A timer runs. */
  isQueued: boolean;
}

/** Longest age. */
const MAX_AGE = 2 ** 31 - 1;

/**
 * Unmaps a batch as soon as no page of it has more than its own reference: at once, or after 5, 5+10, 5+10+15 … ms
 * on the kernel's clock. All or nothing.
 *
 * An item that still waits may be handed in again with another batch: its timer then finds the new one, and the old
 * batch is never unmapped. Linux does no better.
 *
 * @cite linux 4.0 drivers/xen/grant-table.c gnttab_unmap_refs_async
 */
export function gnttabUnmapRefsAsync(kernel: XenLinux, item: UnmapItem): void {
  item.age = 0;
  unmapOrWait(kernel, item);
}

/** @cite linux 4.0 drivers/xen/grant-table.c __gnttab_unmap_refs_async */
function unmapOrWait(kernel: XenLinux, item: UnmapItem): void {
  const { refcount } = kernel.system.memMap;
  if (!item.batch.pages.some((page) => refcount[page]! > 1)) {
    item.done(gnttabUnmapRefs(kernel, item.batch));
    return;
  }
  const delay = GNTTAB_UNMAP_REFS_DELAY_MS * (item.age + 1);
  item.age = Math.min(item.age + 1, MAX_AGE);
  if (item.isQueued) return;
  item.isQueued = true;
  kernel.work.schedule(delay, () => {
    item.isQueued = false;
    unmapOrWait(kernel, item);
  });
}
