/**
 * One segment of a request: which grant, which sectors of its page.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c dispatch_rw_block_io
 * @module
 */

import { SECTOR_SHIFT, SECTORS_PER_PAGE } from "../blkif/blkif.ts";
import type { PendingReq } from "./xen_blkif.ts";

/** Notes segment `n`; its sectors, or -1 if they end beyond the page or before they begin. */
export function takeSegment(
  req: PendingReq,
  n: number,
  gref: number,
  firstSect: number,
  lastSect: number,
): number {
  if (lastSect >= SECTORS_PER_PAGE || lastSect < firstSect) return -1;
  const nsec = lastSect - firstSect + 1;
  req.segments[n]!.gref = gref;
  const seg = req.seg[n]!;
  seg.offset = firstSect << SECTOR_SHIFT;
  seg.length = nsec << SECTOR_SHIFT;
  return nsec;
}
