/**
 * The block interface: numbers of its public header, and requests and responses as bytes of the ring, in the layout
 * of 64-bit x86 on both sides.
 *
 * ```text
 * read, write, flush        indirect                  discard              response
 *  0 u8  operation           0 u8  6                   0 u8  5              0 u64 id
 *  1 u8  nr_segments         1 u8  indirect_op         1 u8  flag           8 u8  operation
 *  2 u16 handle              2 u16 nr_segments         2 u16 handle        10 s16 status
 *  8 u64 id                  8 u64 id                  8 u64 id
 * 16 u64 sector_number      16 u64 sector_number      16 u64 sector_number
 * 24 u32 gref     ┐         24 u16 handle             24 u64 nr_sectors
 * 28 u8 first_sect│ × 11    28 u32 gref × 8
 * 29 u8 last_sect ┘ 8 bytes each; an indirect page holds 512 of these
 * ```
 *
 * @cite xen 4.17 xen/include/public/io/blkif.h blkif_request
 * @cite linux 6.1 include/xen/interface/io/blkif.h blkif_request_indirect
 * @module
 */

import type { SharedRing } from "../ring/shared_ring.ts";

/** Operations. */
export const BLKIF_OP_READ = 0;
export const BLKIF_OP_WRITE = 1;
export const BLKIF_OP_WRITE_BARRIER = 2;
export const BLKIF_OP_FLUSH_DISKCACHE = 3;
export const BLKIF_OP_DISCARD = 5;
export const BLKIF_OP_INDIRECT = 6;

/** Statuses of a response. */
export const BLKIF_RSP_OKAY = 0;
export const BLKIF_RSP_ERROR = -1;
export const BLKIF_RSP_EOPNOTSUPP = -2;

/** Segments of a request that stands in the ring. */
export const BLKIF_MAX_SEGMENTS_PER_REQUEST = 11;

/** Pages of segment descriptors of an indirect request. */
export const BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST = 8;

/** Segments whose descriptors fit a page. @cite linux 6.1 drivers/block/xen-blkback/common.h XEN_PAGES_PER_INDIRECT_FRAME */
export const SEGS_PER_INDIRECT_FRAME = 512;

/** Bytes of a ring entry. */
export const BLKIF_ENTRY_BYTES = 112;

/** Bytes of a segment's descriptor. */
export const BLKIF_SEGMENT_BYTES = 8;

/** A sector of the interface, whatever the disk has: log2 of 512. */
export const SECTOR_SHIFT = 9;

/** Sectors of a page. */
export const SECTORS_PER_PAGE = 8;

/** Name of an operation, for people. */
export function blkifOpName(operation: number): string {
  return [
    "READ",
    "WRITE",
    "WRITE_BARRIER",
    "FLUSH_DISKCACHE",
    "RESERVED",
    "DISCARD",
    "INDIRECT",
  ][operation] ??
    `operation ${operation}`;
}

/** Name of a status, for people. */
export function blkifStatusName(status: number): string {
  return {
    [BLKIF_RSP_OKAY]: "OKAY",
    [BLKIF_RSP_ERROR]: "ERROR",
    [BLKIF_RSP_EOPNOTSUPP]: "EOPNOTSUPP",
  }[status] ??
    `status ${status}`;
}

/** A private copy of a request: made once, filled again for every one. */
export class BlkifRequest {
  operation = 0;
  indirectOp = 0;
  nrSegments = 0;
  handle = 0;
  /** The id's halves: the front end's to choose, and only echoed. */
  idLo = 0;
  idHi = 0;
  sectorNumber = 0;
  /** Of a discard. */
  nrSectors = 0;
  /** Of the segments in the ring, or of the pages of descriptors. */
  readonly gref: Uint32Array = new Uint32Array(BLKIF_MAX_SEGMENTS_PER_REQUEST);
  readonly firstSect: Uint8Array = new Uint8Array(BLKIF_MAX_SEGMENTS_PER_REQUEST);
  readonly lastSect: Uint8Array = new Uint8Array(BLKIF_MAX_SEGMENTS_PER_REQUEST);

  /** What is done to the disk. */
  get diskOperation(): number {
    return this.operation === BLKIF_OP_INDIRECT ? this.indirectOp : this.operation;
  }

  /** Copies the request of a slot, all of it before anything is checked. */
  copyFrom(ring: SharedRing, at: number): void {
    this.operation = ring.read8(at);
    this.idLo = ring.read32(at + 8);
    this.idHi = ring.read32(at + 12);
    this.sectorNumber = ring.read64(at + 16);
    if (this.operation === BLKIF_OP_INDIRECT) return this.#copyIndirect(ring, at);
    this.nrSegments = ring.read8(at + 1);
    this.handle = ring.read16(at + 2);
    if (this.operation === BLKIF_OP_DISCARD) this.nrSectors = ring.read64(at + 24);
    const n = Math.min(this.nrSegments, BLKIF_MAX_SEGMENTS_PER_REQUEST);
    for (let i = 0; i < n; i++) {
      const segment = at + 24 + i * BLKIF_SEGMENT_BYTES;
      this.gref[i] = ring.read32(segment);
      this.firstSect[i] = ring.read8(segment + 4);
      this.lastSect[i] = ring.read8(segment + 5);
    }
  }

  #copyIndirect(ring: SharedRing, at: number): void {
    this.indirectOp = ring.read8(at + 1);
    this.nrSegments = ring.read16(at + 2);
    this.handle = ring.read16(at + 24);
    for (let i = 0; i < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; i++) {
      this.gref[i] = ring.read32(at + 28 + 4 * i);
    }
  }

  /** Writes the request into a slot. The segments of an indirect one are not in the ring. */
  copyTo(ring: SharedRing, at: number): void {
    ring.write8(at, this.operation);
    ring.write32(at + 8, this.idLo);
    ring.write32(at + 12, this.idHi);
    ring.write64(at + 16, this.sectorNumber);
    if (this.operation === BLKIF_OP_INDIRECT) {
      ring.write8(at + 1, this.indirectOp);
      ring.write16(at + 2, this.nrSegments);
      ring.write16(at + 24, this.handle);
      for (let i = 0; i < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; i++) {
        ring.write32(at + 28 + 4 * i, this.gref[i]!);
      }
      return;
    }
    ring.write8(at + 1, this.nrSegments);
    ring.write16(at + 2, this.handle);
    if (this.operation === BLKIF_OP_DISCARD) return ring.write64(at + 24, this.nrSectors);
    const n = Math.min(this.nrSegments, BLKIF_MAX_SEGMENTS_PER_REQUEST);
    for (let i = 0; i < n; i++) {
      const segment = at + 24 + i * BLKIF_SEGMENT_BYTES;
      ring.write32(segment, this.gref[i]!);
      ring.write8(segment + 4, this.firstSect[i]!);
      ring.write8(segment + 5, this.lastSect[i]!);
    }
  }
}

/** A response as the front end reads it. */
export interface BlkifResponse {
  readonly idLo: number;
  readonly idHi: number;
  readonly operation: number;
  readonly status: number;
}

/** Reads the response of a slot. */
export function readResponse(ring: SharedRing, at: number): BlkifResponse {
  return {
    idLo: ring.read32(at),
    idHi: ring.read32(at + 4),
    operation: ring.read8(at + 8),
    status: ring.read16(at + 10) << 16 >> 16,
  };
}

/** Writes a response into a slot. */
export function writeResponse(ring: SharedRing, at: number, response: BlkifResponse): void {
  ring.write32(at, response.idLo);
  ring.write32(at + 4, response.idHi);
  ring.write8(at + 8, response.operation);
  ring.write16(at + 10, response.status);
}
