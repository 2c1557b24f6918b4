/**
 * Reading answers, and taking the grants of the request back: with persistence a page that the back end still has
 * mapped is kept for the next request.
 *
 * @cite linux 6.1 drivers/block/xen-blkfront.c blkif_interrupt
 * @module
 */

import { BLKIF_RSP_EOPNOTSUPP, BLKIF_RSP_OKAY, readResponse } from "../blkif/blkif.ts";
import { type Blkfront, type BlkfrontRing, type FrontGrant, INVALID_GRANT_REF } from "./blkfront.ts";
import { copySegments } from "./queue_request.ts";

/** Reads the answers of a ring; how many there were. Does nothing if no event came. */
export function blkifInterrupt(front: Blkfront, ring: BlkfrontRing): number {
  if (!ring.isIrqPending || front.isBroken) return 0;
  ring.isIrqPending = false;
  let count = 0;
  do {
    while (ring.ring.unread > 0 && !front.isBroken) {
      takeResponse(front, ring);
      count++;
    }
  } while (!front.isBroken && ring.ring.finalCheck());
  return count;
}

function takeResponse(front: Blkfront, ring: BlkfrontRing): void {
  const { shared } = ring.ring;
  const { idLo: id, idHi, status } = readResponse(shared, shared.slot(ring.ring.rspCons));
  ring.ring.rspCons++;
  const shadow = ring.shadow[id];
  const wish = idHi === 0 ? shadow?.wish ?? null : null;
  if (shadow === undefined || wish === null) {
    front.stats.bogus++;
    front.isBroken = true;
    return;
  }
  if (wish.operation === "read" && front.persistent && status === BLKIF_RSP_OKAY) {
    copySegments(front, shadow, false);
  }
  for (const grant of shadow.grantsUsed) endGrant(front, ring, grant);
  for (const grant of shadow.indirectGrants) endGrant(front, ring, grant, true);
  shadow.grantsUsed.length = 0;
  shadow.indirectGrants.length = 0;
  shadow.wish = null;
  ring.freeIds.push(id);
  if (status === BLKIF_RSP_OKAY) front.stats.okay++;
  else if (status === BLKIF_RSP_EOPNOTSUPP) front.stats.eopnotsupp++;
  else front.stats.error++;
  wish.done?.(status);
}

/** @cite linux 6.1 drivers/block/xen-blkfront.c blkif_completion */
function endGrant(front: Blkfront, ring: BlkfrontRing, grant: FrontGrant, isOwn = front.persistent): void {
  if (!front.kernel.grantRefs.tryEndForeignAccess(grant.gref)) {
    if (front.persistent) {
      // Next to be used: the list is a stack, its top is the head.
      ring.grants.push(grant);
      return;
    }
    front.isBroken = true;
    return;
  }
  grant.gref = INVALID_GRANT_REF;
  if (isOwn) ring.grants.unshift(grant);
}
