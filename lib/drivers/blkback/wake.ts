/**
 * Waking the thread of a ring: it runs when the kernel's clock goes on, not inside whoever wakes it.
 *
 * @module
 */

import type { XenBlkifRing } from "./xen_blkif.ts";

/** Lets the thread run in `delayMs`, or earlier if that was asked for before. @cite linux 6.1 drivers/block/xen-blkback/blkback.c blkif_notify_work */
export function wakeRing(ring: XenBlkifRing, delayMs = 0): void {
  const { work } = ring.blkif.kernel;
  const at = work.nowMs + delayMs;
  if (ring.runAt <= at || !ring.isConnected) return;
  ring.runAt = at;
  work.schedule(delayMs, () => {
    // A run that was asked for later is left out when an earlier one has happened.
    if (ring.runAt !== at || !ring.isConnected) return;
    ring.runAt = Infinity;
    ring.thread();
  });
}
