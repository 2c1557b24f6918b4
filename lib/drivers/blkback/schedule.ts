/**
 * The thread of a ring: takes requests while it may, then looks at the grants that are kept and at the stock of pages. It
 * wakes for a request and every 100 ms.
 *
 * The thread runs on the vCPU of its ring's number, so that the TLBs that its unmaps must flush are those of the vCPUs
 * that really worked.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_blkif_schedule
 * @module
 */

import { doBlockIoOp } from "./do_block_io_op.ts";
import { purgePersistentGnt } from "./purge.ts";
import { wakeRing } from "./wake.ts";
import { LRU_INTERVAL, type XenBlkifRing } from "./xen_blkif.ts";

/** One run of the thread. */
export function xenBlkifSchedule(ring: XenBlkifRing): void {
  const { blkif } = ring;
  const { kernel } = blkif;
  const { domain, work } = kernel;
  const vcpu = domain.currentVcpu;
  domain.currentVcpu = vcpuOf(ring);
  try {
    takeRequests(ring);
    if (blkif.features.persistent && work.nowMs >= ring.nextLru) {
      purgePersistentGnt(ring);
      ring.nextLru = work.nowMs + LRU_INTERVAL;
    }
    const isSqueezed = work.nowMs < blkif.bufferSqueezeEnd;
    ring.freePages.shrink(isSqueezed ? 0 : blkif.parameters.max_buffer_pages);
  } finally {
    domain.currentVcpu = vcpu;
  }
  if (ring.backOffUntil > work.nowMs) wakeRing(ring, ring.backOffUntil - work.nowMs);
}

/** Runs the thread every 100 ms as long as it is connected. */
export function startTicking(ring: XenBlkifRing): void {
  ring.blkif.kernel.work.schedule(LRU_INTERVAL, () => {
    if (!ring.isConnected) return;
    xenBlkifSchedule(ring);
    startTicking(ring);
  });
}

/** The vCPU that works for a ring: front ends and their rings are spread over the vCPUs. */
function vcpuOf({ blkif, id }: XenBlkifRing): number {
  const { vcpus } = blkif.kernel.domain;
  return (blkif.domid - 1 + id) % vcpus.length;
}

function takeRequests(ring: XenBlkifRing): void {
  const { work } = ring.blkif.kernel;
  while (
    ring.waitingReqs && !ring.isHalted && ring.drained === null && ring.backOffUntil <= work.nowMs &&
    ring.pendingFree.length > 0
  ) {
    ring.waitingReqs = false;
    const outcome = doBlockIoOp(ring);
    if (outcome === "halted") ring.isHalted = true;
    if (outcome !== "idle") ring.waitingReqs = true;
  }
}

/** The kernel is short of memory: stocks are kept empty for a while. @cite linux 6.1 drivers/block/xen-blkback/xenbus.c reclaim_memory */
export function reclaimMemory(rings: readonly XenBlkifRing[]): void {
  for (const ring of rings) {
    const { blkif } = ring;
    blkif.bufferSqueezeEnd = blkif.kernel.work.nowMs + blkif.parameters.buffer_squeeze_duration_ms;
    wakeRing(ring);
  }
}
