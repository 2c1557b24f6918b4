/**
 * From a request of the ring to a transfer of the disk: everything the front end says is checked, then its pages are
 * mapped, then the disk gets them. Whatever fails before that answers with an error and leaves nothing mapped.
 *
 * ```text
 * operation ─ segments 1 … 11 (indirect 1 … 256; none only for a flush) ─ sectors in their pages ─ range of the disk
 *   ─ alignment ─ drain, for a barrier ─ map ─ disk ─ unmap ─ response
 * ```
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c dispatch_rw_block_io
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import type { BioOperation } from "../block/bio.ts";
import {
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP_FLUSH_DISKCACHE,
  BLKIF_OP_INDIRECT,
  BLKIF_OP_READ,
  BLKIF_OP_WRITE,
  BLKIF_OP_WRITE_BARRIER,
  BLKIF_RSP_EOPNOTSUPP,
  BLKIF_RSP_ERROR,
  BLKIF_RSP_OKAY,
  SECTOR_SHIFT,
} from "../blkif/blkif.ts";
import { makeResponse } from "./make_response.ts";
import { xenBlkbkMap } from "./map.ts";
import { xenBlkbkParseIndirect } from "./parse_indirect.ts";
import { takeSegment } from "./take_segment.ts";
import { freeReq, xenBlkbkUnmap, xenBlkbkUnmapAndRespond } from "./unmap.ts";
import { wakeRing } from "./wake.ts";
import { MAX_INDIRECT_SEGMENTS, type PendingReq, type XenBlkif, type XenBlkifRing } from "./xen_blkif.ts";

/** How a request went on: `refused` was answered with an error, `drains` waits for those before it. */
export type Dispatched = "submitted" | "refused" | "drains";

/** Takes the request that is in `ring.request`. */
export function dispatchRwBlockIo(ring: XenBlkifRing, req: PendingReq): Dispatched {
  const { request, blkif } = ring;
  req.idLo = request.idLo;
  req.idHi = request.idHi;
  req.operation = request.diskOperation;
  req.status = BLKIF_RSP_OKAY;
  req.nrSegs = 0;
  req.startMs = blkif.kernel.work.nowMs;
  const nrSects = sectorsOf(ring, req);
  if (nrSects < 0 || !vbdTranslate(blkif, request.sectorNumber, nrSects, req.operation !== BLKIF_OP_READ)) {
    return refuse(ring, req);
  }
  if (!isAligned(blkif, request.sectorNumber, req)) return refuse(ring, req);
  const { sectorNumber } = request;
  if (req.operation === BLKIF_OP_WRITE_BARRIER && ring.inflight > 0) {
    ring.drained = () => {
      ring.drained = null;
      mapAndSubmit(ring, req, sectorNumber);
      wakeRing(ring);
    };
    return "drains";
  }
  return mapAndSubmit(ring, req, sectorNumber);
}

/** Operation, number of segments and each segment; sectors in all, or -1. */
function sectorsOf(ring: XenBlkifRing, req: PendingReq): number {
  const { request, stats } = ring;
  const { operation } = req;
  const isIndirect = request.operation === BLKIF_OP_INDIRECT;
  if (isIndirect && operation !== BLKIF_OP_READ && operation !== BLKIF_OP_WRITE) return -1;
  const isFlush = operation === BLKIF_OP_WRITE_BARRIER || operation === BLKIF_OP_FLUSH_DISKCACHE;
  if (operation === BLKIF_OP_READ) stats.rd++;
  else if (operation === BLKIF_OP_WRITE) stats.wr++;
  else if (isFlush) stats.f++;
  const { nrSegments } = request;
  if (nrSegments === 0 && !isFlush) return -1;
  if (nrSegments > (isIndirect ? MAX_INDIRECT_SEGMENTS : BLKIF_MAX_SEGMENTS_PER_REQUEST)) return -1;
  req.nrSegs = nrSegments;
  req.reserve(nrSegments);
  if (isIndirect) return xenBlkbkParseIndirect(ring, req);
  let nrSects = 0;
  for (let n = 0; n < nrSegments; n++) {
    const nsec = takeSegment(req, n, request.gref[n]!, request.firstSect[n]!, request.lastSect[n]!);
    if (nsec < 0) return -1;
    nrSects += nsec;
  }
  return nrSects;
}

/** May this range of the disk be used so? @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_vbd_translate */
export function vbdTranslate(blkif: XenBlkif, sector: number, nrSects: number, isWrite: boolean): boolean {
  if (isWrite && blkif.isReadonly) return false;
  return nrSects === 0 || sector + nrSects <= blkif.device.nrSectors;
}

/** Start and every segment in whole blocks of the disk. */
function isAligned(blkif: XenBlkif, sector: number, req: PendingReq): boolean {
  const mask = (blkif.device.logicalBlockSize >> SECTOR_SHIFT) - 1;
  for (let n = 0; n < req.nrSegs; n++) {
    if (((sector | req.seg[n]!.length >> SECTOR_SHIFT) & mask) !== 0) return false;
  }
  return true;
}

function mapAndSubmit(ring: XenBlkifRing, req: PendingReq, sector: number): Dispatched {
  if (!xenBlkbkMap(ring, req.segments, req.nrSegs, req.operation !== BLKIF_OP_READ)) {
    xenBlkbkUnmap(ring, req.segments, req.nrSegs);
    return refuse(ring, req);
  }
  ring.inflight++;
  for (let n = 0; n < req.nrSegs; n++) req.seg[n]!.page = req.segments[n]!.page;
  const operation: BioOperation = req.operation === BLKIF_OP_READ
    ? "read"
    : req.nrSegs > 0
    ? "write"
    : "flush";
  const vecs = req.seg.slice(0, req.nrSegs).map((vec) => ({ ...vec }));
  ring.blkif.device.submitBio({ operation, sector, vecs, endIo: (errno) => endBlockIoOp(ring, req, errno) });
  return "submitted";
}

/** The disk is done, well or not. @cite linux 6.1 drivers/block/xen-blkback/blkback.c __end_block_io_op */
function endBlockIoOp(ring: XenBlkifRing, req: PendingReq, errno: Errno | null): void {
  const isFlush = req.operation === BLKIF_OP_FLUSH_DISKCACHE || req.operation === BLKIF_OP_WRITE_BARRIER;
  if (errno !== null) {
    req.status = isFlush && errno === "EOPNOTSUPP" ? BLKIF_RSP_EOPNOTSUPP : BLKIF_RSP_ERROR;
  }
  xenBlkbkUnmapAndRespond(ring, req);
}

function refuse(ring: XenBlkifRing, req: PendingReq): "refused" {
  makeResponse(ring, req, req.operation, BLKIF_RSP_ERROR);
  freeReq(ring, req);
  return "refused";
}
