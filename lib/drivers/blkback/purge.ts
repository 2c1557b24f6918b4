/**
 * Giving kept grants back: those that nobody used for a minute, and, when the tree was too small, one in twenty and the
 * excess, whether used lately or not. Their unmap waits for the pages as any other does.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c purge_persistent_gnt
 * @module
 */

import { gnttabUnmapRefsAsync } from "../../linux/xen/gnttab.ts";
import type { UnmapBatch } from "../../linux/xen/foreign/kernel_half.ts";
import { BLKIF_MAX_SEGMENTS_PER_REQUEST } from "../blkif/blkif.ts";
import { LRU_PERCENT_CLEAN, type PersistentGnt, type XenBlkifRing } from "./xen_blkif.ts";

/** How many must go although they may have been used lately. */
export function numClean(ring: XenBlkifRing): number {
  const { overflowMaxGrants, parameters: { max_persistent_grants: most } } = ring.blkif;
  const { size } = ring.persistent;
  if (size < most || size === most && !overflowMaxGrants) return 0;
  return Math.min(size, size - most + Math.floor(most / 100) * LRU_PERCENT_CLEAN);
}

/** Picks the victims and has them unmapped. Nothing happens while the unmap of an earlier purge still waits. */
export function purgePersistentGnt(ring: XenBlkifRing): void {
  if (ring.purging > 0 || ring.persistent.size === 0) return;
  const wanted = numClean(ring);
  const idle = ring.persistent.values().filter((gnt) => !gnt.active);
  const victims = idle.filter((gnt) => isTimedOut(ring, gnt));
  const others = idle.filter((gnt) => !isTimedOut(ring, gnt));
  victims.push(...others.slice(0, Math.max(0, wanted - victims.length)));
  if (victims.length === 0) return;
  for (const { gnt } of victims) ring.persistent.delete(gnt);
  ring.stats.purged += victims.length;
  ring.blkif.overflowMaxGrants = false;
  unmapKept(ring, victims);
}

/** @cite linux 6.1 drivers/block/xen-blkback/blkback.c persistent_gnt_timeout */
function isTimedOut(ring: XenBlkifRing, gnt: PersistentGnt): boolean {
  const { kernel, parameters: { persistent_grant_unused_seconds: seconds } } = ring.blkif;
  return seconds > 0 && kernel.work.nowMs - gnt.lastUsed >= 1000 * seconds;
}

/** All kept grants, used or not: the device is being taken away. @cite linux 6.1 drivers/block/xen-blkback/blkback.c free_persistent_gnts */
export function freePersistentGnts(ring: XenBlkifRing): void {
  const all = ring.persistent.values();
  for (const { gnt } of all) ring.persistent.delete(gnt);
  unmapKept(ring, all);
}

/** Eleven a hypercall, one hypercall after the other: the next begins when the one before is done. @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_blkbk_unmap_purged_grants */
function unmapKept(ring: XenBlkifRing, victims: readonly PersistentGnt[]): void {
  const { kernel } = ring.blkif;
  const group = victims.slice(0, BLKIF_MAX_SEGMENTS_PER_REQUEST);
  if (group.length === 0) return;
  const batch: UnmapBatch = {
    unmapOps: group.map(({ page, handle }) => ({
      host_addr: kernel.guest.hostAddress(kernel, page),
      dev_bus_addr: 0,
      handle,
      status: 1,
    })),
    kunmapOps: [],
    pages: group.map(({ page }) => page),
  };
  ring.purging += group.length;
  const done = () => {
    ring.freePages.put(batch.pages);
    ring.purging -= group.length;
    unmapKept(ring, victims.slice(group.length));
  };
  gnttabUnmapRefsAsync(kernel, { batch, done, age: 0, isQueued: false });
}
