/**
 * Reading the segment descriptors of an indirect request: their pages are mapped, read once, and unmapped again before
 * the request goes on. The guest can write to them all the while, so each byte that is checked is the byte that is used.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_blkbk_parse_indirect
 * @module
 */

import { type Maddr, maddrOf } from "../../core/frames.ts";
import { BLKIF_SEGMENT_BYTES, SEGS_PER_INDIRECT_FRAME } from "../blkif/blkif.ts";
import { takeSegment } from "./take_segment.ts";
import { xenBlkbkMap } from "./map.ts";
import { xenBlkbkUnmap } from "./unmap.ts";
import { noGrantPage, type PendingReq, type XenBlkifRing } from "./xen_blkif.ts";

/** Fills the segments of `req`; sectors in all, or -1 if a page cannot be mapped or a segment is out of range. */
export function xenBlkbkParseIndirect(ring: XenBlkifRing, req: PendingReq): number {
  const { indirectPages: pages, nrSegs } = req;
  const nrPages = Math.ceil(nrSegs / SEGS_PER_INDIRECT_FRAME);
  while (pages.length < nrPages) pages.push(noGrantPage());
  for (let i = 0; i < nrPages; i++) pages[i]!.gref = ring.request.gref[i]!;
  const isMapped = xenBlkbkMap(ring, pages, nrPages, true);
  const nrSects = isMapped ? readSegments(ring, req) : -1;
  xenBlkbkUnmap(ring, pages, nrPages);
  return nrSects;
}

function readSegments(ring: XenBlkifRing, req: PendingReq): number {
  const { system, hv: { mem } } = ring.blkif.kernel;
  let nrSects = 0;
  for (let n = 0; n < req.nrSegs; n++) {
    const frame = system.frameOf(req.indirectPages[Math.floor(n / SEGS_PER_INDIRECT_FRAME)]!.page);
    const at = maddrOf(frame, n % SEGS_PER_INDIRECT_FRAME * BLKIF_SEGMENT_BYTES);
    const gref = mem.read32(at) >>> 0;
    const sectors = mem.read16(at + 4 as Maddr);
    const nsec = takeSegment(req, n, gref, sectors & 0xff, sectors >>> 8);
    if (nsec < 0) return -1;
    nrSects += nsec;
  }
  return nrSects;
}
