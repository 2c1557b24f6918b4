/**
 * Requests without pages: giving sectors up, and operations that nobody knows.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c dispatch_discard_io
 * @module
 */

import { BLKIF_RSP_EOPNOTSUPP, BLKIF_RSP_ERROR, BLKIF_RSP_OKAY } from "../blkif/blkif.ts";
import { vbdTranslate } from "./dispatch.ts";
import { makeResponse } from "./make_response.ts";
import type { XenBlkifRing } from "./xen_blkif.ts";

/** Discards; the answer says how. */
export function dispatchDiscardIo(ring: XenBlkifRing): void {
  const { request, blkif } = ring;
  const { device } = blkif;
  if (!vbdTranslate(blkif, request.sectorNumber, request.nrSectors, true)) {
    return makeResponse(ring, request, request.operation, BLKIF_RSP_ERROR);
  }
  ring.stats.ds++;
  const errno = device.discard === undefined
    ? "EOPNOTSUPP"
    : device.discard(request.sectorNumber, request.nrSectors);
  const status = errno === null
    ? BLKIF_RSP_OKAY
    : errno === "EOPNOTSUPP"
    ? BLKIF_RSP_EOPNOTSUPP
    : BLKIF_RSP_ERROR;
  makeResponse(ring, request, request.operation, status);
}

/** An operation that there is not. @cite linux 6.1 drivers/block/xen-blkback/blkback.c dispatch_other_io */
export function dispatchOtherIo(ring: XenBlkifRing): void {
  makeResponse(ring, ring.request, ring.request.operation, BLKIF_RSP_EOPNOTSUPP);
}
