/**
 * Grants that stay mapped: found by reference, marked while a request uses them, put in while there is room.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c add_persistent_gnt
 * @module
 */

import type { PersistentGnt, XenBlkifRing } from "./xen_blkif.ts";

/**
 * The kept mapping of a reference, marked as used; null if there is none or another segment uses it, in which case the
 * grant is mapped once more.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c get_persistent_gnt
 */
export function getPersistentGnt(ring: XenBlkifRing, gref: number): PersistentGnt | null {
  const found = ring.persistent.find(gref);
  if (found === undefined || found.active) return null;
  found.active = true;
  ring.persistentInUse++;
  ring.stats.hits++;
  return found;
}

/** A request is done with it. @cite linux 6.1 drivers/block/xen-blkback/blkback.c put_persistent_gnt */
export function putPersistentGnt(ring: XenBlkifRing, gnt: PersistentGnt): void {
  gnt.lastUsed = ring.blkif.kernel.work.nowMs;
  gnt.active = false;
  ring.persistentInUse--;
}

/** Keeps a mapping; null if the tree is full or has one of this reference. @cite linux 6.1 drivers/block/xen-blkback/blkback.c add_persistent_gnt */
export function addPersistentGnt(
  ring: XenBlkifRing,
  mapped: { readonly gref: number; readonly handle: number; readonly page: number },
): PersistentGnt | null {
  const { blkif } = ring;
  if (ring.persistent.size >= blkif.parameters.max_persistent_grants) {
    blkif.overflowMaxGrants = true;
    return null;
  }
  const gnt = { gnt: mapped.gref, handle: mapped.handle, page: mapped.page, active: true, lastUsed: 0 };
  if (!ring.persistent.insert(gnt.gnt, gnt)) return null;
  ring.persistentInUse++;
  ring.stats.kept++;
  return gnt;
}
