/**
 * A program serving its ring: for each request it maps the pages, transfers with O_DIRECT, unmaps, answers.
 *
 * Left out: indirect requests, which QEMU does not offer.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { PROT_READ, PROT_WRITE } from "../../linux/mm/prot.ts";
import {
  BLKIF_MAX_SEGMENTS_PER_REQUEST,
  BLKIF_OP_FLUSH_DISKCACHE,
  BLKIF_OP_READ,
  BLKIF_OP_WRITE,
  BLKIF_RSP_EOPNOTSUPP,
  BLKIF_RSP_ERROR,
  BLKIF_RSP_OKAY,
  SECTOR_SHIFT,
  SECTORS_PER_PAGE,
  writeResponse,
} from "../blkif/blkif.ts";
import { directIo } from "../direct_io.ts";
import { USER_MAX_GRANTS, type UserBlkback } from "./user_blkback.ts";

/** Serves what is in the ring; how many requests. An index that cannot be right stops it. */
export function serveRing(back: UserBlkback): number {
  const { ring, request } = back;
  let served = 0;
  for (;;) {
    const rp = ring.reqProd;
    if (ring.isProdOverflow(rp)) return served;
    while (ring.reqCons !== rp && !ring.isConsOverflow(ring.reqCons)) {
      request.copyFrom(ring.shared, ring.shared.slot(ring.reqCons));
      ring.reqCons = ring.reqCons + 1 >>> 0;
      respond(back, serve(back));
      served++;
    }
    if (!ring.finalCheck()) return served;
  }
}

function respond(back: UserBlkback, status: number): void {
  const { ring, request: { idLo, idHi, operation }, stats } = back;
  if (status === BLKIF_RSP_OKAY) stats.okay++;
  else if (status === BLKIF_RSP_ERROR) stats.error++;
  else stats.eopnotsupp++;
  writeResponse(ring.shared, ring.shared.slot(ring.rspProdPvt), { idLo, idHi, operation, status });
  ring.rspProdPvt = ring.rspProdPvt + 1 >>> 0;
  if (ring.pushResponses()) back.notify();
}

/** One request; its status. */
function serve(back: UserBlkback): number {
  const { request, disk } = back;
  const { operation, nrSegments } = request;
  if (operation === BLKIF_OP_FLUSH_DISKCACHE && nrSegments === 0) return BLKIF_RSP_OKAY;
  if (operation !== BLKIF_OP_READ && operation !== BLKIF_OP_WRITE) return BLKIF_RSP_EOPNOTSUPP;
  if (nrSegments === 0 || nrSegments > BLKIF_MAX_SEGMENTS_PER_REQUEST) return BLKIF_RSP_ERROR;
  let nrSects = 0;
  for (let i = 0; i < nrSegments; i++) {
    const [first, last] = [request.firstSect[i]!, request.lastSect[i]!];
    if (last >= SECTORS_PER_PAGE || last < first) return BLKIF_RSP_ERROR;
    nrSects += last - first + 1;
  }
  if (request.sectorNumber + nrSects > disk.nrSectors) return BLKIF_RSP_ERROR;
  return back.persistent ? transferKept(back) : transferMapped(back);
}

/** All pages in one mapping, for this request only. */
function transferMapped(back: UserBlkback): number {
  const { request } = back;
  const n = request.nrSegments;
  const prot = PROT_READ | (request.operation === BLKIF_OP_READ ? PROT_WRITE : 0);
  const mapped = back.mapGrants([...request.gref.subarray(0, n)], prot);
  if (!mapped.ok) return BLKIF_RSP_ERROR;
  const status = transfer(back, (i) => mapped.value + i * PAGE_SIZE);
  back.unmapGrants(mapped.value, n);
  return status;
}

/** A mapping for each page that stays, while there is room for more. */
function transferKept(back: UserBlkback): number {
  const { request, kept } = back;
  const addresses: number[] = [];
  const passing: number[] = [];
  let status: number = BLKIF_RSP_OKAY;
  for (let i = 0; i < request.nrSegments && status === BLKIF_RSP_OKAY; i++) {
    const gref = request.gref[i]!;
    const known = kept.get(gref);
    if (known !== undefined) {
      addresses.push(known);
      continue;
    }
    const mapped = back.mapGrants([gref], PROT_READ | PROT_WRITE);
    if (!mapped.ok) status = BLKIF_RSP_ERROR;
    else {
      addresses.push(mapped.value);
      if (kept.size < USER_MAX_GRANTS) kept.set(gref, mapped.value);
      else passing.push(mapped.value);
    }
  }
  if (status === BLKIF_RSP_OKAY) status = transfer(back, (i) => addresses[i]!);
  for (const address of passing) back.unmapGrants(address, 1);
  return status;
}

/** preadv or pwritev: runs of addresses without a gap in one transfer. */
function transfer(back: UserBlkback, pageAt: (i: number) => number): number {
  const { request, mm, disk } = back;
  const direction = request.operation === BLKIF_OP_READ ? "read" : "write";
  let sector = request.sectorNumber;
  for (let i = 0; i < request.nrSegments;) {
    const address = pageAt(i) + (request.firstSect[i]! << SECTOR_SHIFT);
    const diskOffset = sector * 2 ** SECTOR_SHIFT;
    let end = address;
    do {
      const nsec = request.lastSect[i]! - request.firstSect[i]! + 1;
      end += nsec << SECTOR_SHIFT;
      sector += nsec;
      i++;
    } while (i < request.nrSegments && pageAt(i) + (request.firstSect[i]! << SECTOR_SHIFT) === end);
    const length = end - address;
    const io = directIo(mm, disk, { direction, address, length, diskOffset });
    if (!io.ok || io.value.bytes < length) return BLKIF_RSP_ERROR;
  }
  return BLKIF_RSP_OKAY;
}
