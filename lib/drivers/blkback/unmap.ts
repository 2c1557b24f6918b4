/**
 * Undoing the mapping of a request's pages: grants that are kept are only marked as unused, the others are unmapped. At
 * the end of a request that happens when nobody holds the pages, and the response goes out from there.
 *
 * A request all of whose grants are kept has nothing to unmap, and still makes the hypercall, with an empty list.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_blkbk_unmap_and_respond
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import { gnttabUnmapRefs } from "../../linux/xen/gnttab.ts";
import type { UnmapBatch } from "../../linux/xen/foreign/kernel_half.ts";
import type { GnttabUnmapGrantRef } from "../../xen/abi.ts";
import { BLKIF_MAX_SEGMENTS_PER_REQUEST } from "../blkif/blkif.ts";
import { makeResponse } from "./make_response.ts";
import { putPersistentGnt } from "./persistent_gnt.ts";
import { wakeRing } from "./wake.ts";
import { BLKBACK_INVALID_HANDLE, type GrantPage, type PendingReq, type XenBlkifRing } from "./xen_blkif.ts";

/** What is to be unmapped of pages `[from, end)`; kept grants are given up on the way. @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_blkbk_unmap_prepare */
function unmapPrepare(
  ring: XenBlkifRing,
  pages: readonly GrantPage[],
  from: number,
  end: number,
): UnmapBatch {
  const { kernel } = ring.blkif;
  const unmapOps: GnttabUnmapGrantRef[] = [];
  const unmapPages: number[] = [];
  for (let i = from; i < end; i++) {
    const page = pages[i]!;
    if (page.persistent !== null) {
      putPersistentGnt(ring, page.persistent);
      page.persistent = null;
      page.handle = BLKBACK_INVALID_HANDLE;
      continue;
    }
    if (page.handle === BLKBACK_INVALID_HANDLE) continue;
    unmapPages.push(page.page);
    const host_addr = kernel.guest.hostAddress(kernel, page.page);
    unmapOps.push({ host_addr, dev_bus_addr: 0, handle: page.handle, status: 1 });
    page.handle = BLKBACK_INVALID_HANDLE;
  }
  return { unmapOps, kunmapOps: [], pages: unmapPages };
}

/** Undoes a request that never reached the disk, eleven pages a hypercall. @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_blkbk_unmap */
export function xenBlkbkUnmap(ring: XenBlkifRing, pages: readonly GrantPage[], num: number): void {
  for (let from = 0; from < num; from += BLKIF_MAX_SEGMENTS_PER_REQUEST) {
    const batch = unmapPrepare(ring, pages, from, Math.min(num, from + BLKIF_MAX_SEGMENTS_PER_REQUEST));
    if (batch.pages.length === 0) continue;
    if (gnttabUnmapRefs(ring.blkif.kernel, batch) !== 0) bug();
    ring.freePages.put(batch.pages);
  }
}

/** The disk is done: unmap, and answer from there. */
export function xenBlkbkUnmapAndRespond(ring: XenBlkifRing, req: PendingReq): void {
  const { kernel, unmapPolicy } = ring.blkif;
  const item = req.unmapItem;
  item.batch = unmapPrepare(ring, req.segments, 0, req.nrSegs);
  item.done = (rc) => {
    if (rc !== 0) bug();
    ring.freePages.put(item.batch.pages);
    if (item.age > 0) ring.stats.deferred++;
    ring.stats.longestMs = Math.max(ring.stats.longestMs, kernel.work.nowMs - req.startMs);
    makeResponse(ring, req, req.operation, req.status);
    freeReq(ring, req);
    if (--ring.inflight === 0) ring.drained?.();
  };
  unmapPolicy.unmap(kernel, item);
}

/** Gives a request structure back; wakes the thread if it waits for one. @cite linux 6.1 drivers/block/xen-blkback/blkback.c free_req */
export function freeReq(ring: XenBlkifRing, req: PendingReq): void {
  const wasEmpty = ring.pendingFree.length === 0;
  ring.pendingFree.push(req);
  if (wasEmpty) wakeRing(ring);
}

function bug(): never {
  throw new KernelBug(
    "xen_blkbk_unmap_and_respond_callback",
    "BUG_ON(result)",
    "the hypercall that unmaps the pages of a request was refused as a whole",
  );
}
