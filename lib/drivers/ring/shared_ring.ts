/**
 * The ring that a front end and a back end share, as bytes. Indices run free and wrap at 2^32; a slot is an index
 * modulo the (power of two) number of entries, and holds a request until the response to some request overwrites it.
 *
 * ```text
 *   0  req_prod   front end writes     next request to be produced
 *   4  req_event  back end writes      "wake me when req_prod gets here"
 *   8  rsp_prod   back end writes      next response to be produced
 *  12  rsp_event  front end writes     "wake me when rsp_prod gets here"
 *  64  entry 0, entry 1, …             requests by the front end, responses by the back end
 * ```
 *
 * Nothing in here is trusted by either side: what one side must remember for itself is in `front_ring.ts` and
 * `back_ring.ts`.
 *
 * @cite xen 4.17 xen/include/public/io/ring.h DEFINE_RING_TYPES
 * @module
 */

import type { Maddr } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { outOfRange, wholeNumber } from "../../core/misuse.ts";
import type { PhysMem } from "../../x86/phys_mem.ts";

/** Byte offsets of the four indices. */
export const REQ_PROD = 0;
export const REQ_EVENT = 4;
export const RSP_PROD = 8;
export const RSP_EVENT = 12;

/** Where the entries begin. */
export const RING_HEADER_BYTES = 64;

/**
 * Entries that fit: a power of two.
 *
 * @cite xen 4.17 xen/include/public/io/ring.h __CONST_RING_SIZE
 *
 * @example
 * ```ts
 * import { ringSize } from "grantlab/drivers";
 * if (ringSize(112, 1) !== 32 || ringSize(12, 1) !== 256) throw new Error(); // blkif, netif transmit
 * ```
 */
export function ringSize(entryBytes: number, nrPages: number): number {
  return 2 ** Math.floor(Math.log2((nrPages * PAGE_SIZE - RING_HEADER_BYTES) / entryBytes));
}

/** The bytes, as one side reaches them: through its own frames or through a mapped grant. */
export class SharedRing {
  /** Entries; a power of two. */
  readonly size: number;
  readonly #mem: PhysMem;
  readonly #frames: readonly number[];

  /**
   * @param frames machine frames of the ring's pages, in order
   * @param entryBytes size of the larger of request and response
   */
  constructor(mem: PhysMem, frames: readonly number[], readonly entryBytes: number) {
    if (frames.length === 0) throw outOfRange("make a ring of pages", 0, "it needs at least one");
    wholeNumber("make a ring of entries of bytes", entryBytes, 1, PAGE_SIZE - RING_HEADER_BYTES);
    this.#mem = mem;
    this.#frames = frames;
    this.size = ringSize(entryBytes, frames.length);
  }

  /** Offset of the slot that an index stands for. */
  slot(index: number): number {
    return RING_HEADER_BYTES + (index & this.size - 1) * this.entryBytes;
  }

  /** One of the four indices, 0 … 2^32-1. */
  index(offset: number): number {
    return this.read32(offset) >>> 0;
  }

  /** Stores one of the four indices. */
  setIndex(offset: number, value: number): void {
    this.write32(offset, value);
  }

  read8(offset: number): number {
    return this.#mem.read8(this.#at(offset));
  }

  read16(offset: number): number {
    return this.#mem.read16(this.#at(offset));
  }

  /** Signed. */
  read32(offset: number): number {
    return this.#mem.read32(this.#at(offset));
  }

  /** 64 bits as a number: exact below 2^53, and above still larger than anything that exists. */
  read64(offset: number): number {
    return (this.read32(offset) >>> 0) + (this.read32(offset + 4) >>> 0) * 2 ** 32;
  }

  write8(offset: number, value: number): void {
    this.#mem.write8(this.#at(offset), value);
  }

  write16(offset: number, value: number): void {
    this.#mem.write16(this.#at(offset), value);
  }

  write32(offset: number, value: number): void {
    this.#mem.write32(this.#at(offset), value);
  }

  /** Up to 2^53. */
  write64(offset: number, value: number): void {
    this.write32(offset, value % 2 ** 32);
    this.write32(offset + 4, Math.floor(value / 2 ** 32));
  }

  #at(offset: number): Maddr {
    return this.#frames[offset >>> 12]! * PAGE_SIZE + (offset & PAGE_SIZE - 1) as Maddr;
  }
}
