/**
 * Machine memory, sparse: a frame exists from its first write. Until then it reads as zero and costs nothing, so a
 * host may have a tebibyte. Page tables and grant entries are real bytes in here.
 *
 * Content lives in one pool of 32-bit words; a frame with content has a *slot*, and byte `b` of it lies at word
 * `slot << 10 | b >> 2`. Hot paths ask for the slot once per table (`slotOf`) and index `words` themselves; they
 * must read `words` again after anything that can write to a new frame, because the pool moves when it grows.
 *
 * Little-endian, like the machine modelled; the host's own byte order does not matter, nothing aliases the words.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { physMemView } from "./views/phys_mem_view.ts";
import { BUDGET } from "../core/budget.ts";
import { growInt32 } from "../core/columns.ts";
import { type Maddr, type Mfn, mfnOf } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { IntMap } from "../core/int_map.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { hex } from "../core/show.ts";

/** Frame of a slot that is free. */
const NO_FRAME = -1;

/** 32-bit words in a frame. */
export const WORDS_PER_FRAME = 1024;

/**
 * Machine memory of `nrFrames` frames.
 *
 * @example
 * ```ts
 * import { maddrOf, mfn } from "grantlab/core";
 * import { PhysMem } from "grantlab/x86";
 * const mem = new PhysMem(2 ** 28); // 1 TiB
 * mem.write8(maddrOf(mfn(0x1234), 5), 0xab);
 * if (mem.read8(maddrOf(mfn(0x1234), 5)) !== 0xab || mem.framesWithContent !== 1) throw new Error();
 * ```
 */
export class PhysMem extends Shown {
  /** Frames 0 … nrFrames-1 are backed by memory; an access elsewhere is an outcome of the accessor's caller. */
  readonly nrFrames: number;
  /** The content pool. Moves when it grows: do not keep a reference over a write to a new frame. */
  words: Int32Array = new Int32Array(16 * WORDS_PER_FRAME);
  readonly #slots = new IntMap(64);
  #mfnOfSlot: Int32Array = new Int32Array(16);
  #free: number[] = [];
  #nrSlots = 0;

  /** @throws {RangeError} if `nrFrames` exceeds the budget `hostFrames` */
  constructor(nrFrames: number) {
    super();
    this.nrFrames = wholeNumber("make machine memory of frames", nrFrames, 1, BUDGET.hostFrames);
  }

  /** Frames that have been written. */
  get framesWithContent(): number {
    return this.#slots.size;
  }

  /** Bytes that this memory takes in the model: the pool, and the tables from frame to slot and back. */
  get bytesHeld(): number {
    return this.words.byteLength + this.#mfnOfSlot.byteLength + this.#slots.byteLength;
  }

  /** True if there is memory behind `frame`. */
  isBacked(frame: number): boolean {
    return frame >= 0 && frame < this.nrFrames;
  }

  /** Slot of a frame, or -1 while it has no content (it reads as zero) or is not backed. */
  slotOf(frame: number): number {
    return frame < this.nrFrames ? this.#slots.get(frame) : -1;
  }

  /** Slot of a frame, made if need be. */
  makeSlot(frame: number): number {
    let slot = this.slotOf(frame);
    if (slot >= 0) return slot;
    if (!this.isBacked(frame)) {
      throw outOfRange("write to frame", frame, `this machine has ${hex(this.nrFrames)} frames`);
    }
    slot = this.#free.pop() ?? -1;
    if (slot < 0) {
      if (this.#nrSlots >= BUDGET.contentFrames) {
        throw outOfRange("write to frame", frame, `the budget contentFrames is ${BUDGET.contentFrames}`);
      }
      slot = this.#nrSlots++;
      this.words = growInt32(this.words, this.#nrSlots * WORDS_PER_FRAME);
      this.#mfnOfSlot = growInt32(this.#mfnOfSlot, this.#nrSlots);
    }
    this.#mfnOfSlot[slot] = frame;
    this.#slots.set(frame, slot);
    return slot;
  }

  /** The frame whose content is in `slot`; -1 for a slot given up. Tells whether a slot remembered is still right. */
  mfnOfSlot(slot: number): Mfn {
    return this.#mfnOfSlot[slot]! as Mfn;
  }

  /** Index in `words` of the word at byte `offset` of a frame; the frame gets content if it has none. */
  makeWord(frame: number, offset: number): number {
    return this.makeSlot(frame) * WORDS_PER_FRAME + (offset >> 2);
  }

  /** Calls `visit` for every frame with content and its slot, in no particular order. */
  forEachSlot(visit: (frame: number, slot: number) => void): void {
    this.#slots.forEach(visit);
  }

  /** Gives the content of a frame up: it reads as zero again. */
  clearFrame(frame: Mfn): void {
    const slot = this.slotOf(frame);
    if (slot < 0) return;
    this.words.fill(0, slot * WORDS_PER_FRAME, (slot + 1) * WORDS_PER_FRAME);
    this.#slots.delete(frame);
    this.#mfnOfSlot[slot] = NO_FRAME;
    this.#free.push(slot);
  }

  /** Fills a frame with one byte value. */
  fillFrame(frame: Mfn, byte: number): void {
    if (byte === 0) return this.clearFrame(frame);
    const slot = this.makeSlot(frame);
    const word = Math.imul(byte & 0xff, 0x01010101);
    this.words.fill(word, slot * WORDS_PER_FRAME, (slot + 1) * WORDS_PER_FRAME);
  }

  /** Copies all of one frame to another. */
  copyFrame(to: Mfn, from: Mfn): void {
    const source = this.slotOf(from);
    if (source < 0) return this.clearFrame(to);
    const target = this.makeSlot(to);
    this.words.copyWithin(target * WORDS_PER_FRAME, source * WORDS_PER_FRAME, (source + 1) * WORDS_PER_FRAME);
  }

  /** The word index of a machine address, or -1 if its frame has no content. */
  #wordAt(address: Maddr): number {
    const frame = mfnOf(address);
    const slot = this.slotOf(frame);
    return slot < 0 ? -1 : slot * WORDS_PER_FRAME + (address - frame * PAGE_SIZE >> 2);
  }

  #makeWordAt(address: Maddr): number {
    const frame = mfnOf(address);
    return this.makeWord(frame, address - frame * PAGE_SIZE);
  }

  /** Unsigned byte. */
  read8(address: Maddr): number {
    const at = this.#wordAt(address);
    return at < 0 ? 0 : this.words[at]! >>> ((address % 4) * 8) & 0xff;
  }

  /** Unsigned 16 bits; `address` is 2-byte aligned. */
  read16(address: Maddr): number {
    const at = this.#wordAt(address);
    return at < 0 ? 0 : this.words[at]! >>> ((address % 4) * 8) & 0xffff;
  }

  /** Signed 32 bits; `address` is 4-byte aligned. */
  read32(address: Maddr): number {
    const at = this.#wordAt(address);
    return at < 0 ? 0 : this.words[at]!;
  }

  /** Unsigned 64 bits; `address` is 8-byte aligned. For people and imports, not for hot paths. */
  read64(address: Maddr): bigint {
    const at = this.#wordAt(address);
    if (at < 0) return 0n;
    return BigInt(this.words[at + 1]! >>> 0) << 32n | BigInt(this.words[at]! >>> 0);
  }

  /** Writes the low 8 bits of `value`. */
  write8(address: Maddr, value: number): void {
    const at = this.#makeWordAt(address);
    const shift = (address % 4) * 8;
    this.words[at] = this.words[at]! & ~(0xff << shift) | (value & 0xff) << shift;
  }

  /** Writes the low 16 bits of `value`; `address` is 2-byte aligned. */
  write16(address: Maddr, value: number): void {
    const at = this.#makeWordAt(address);
    const shift = (address % 4) * 8;
    this.words[at] = this.words[at]! & ~(0xffff << shift) | (value & 0xffff) << shift;
  }

  /** Writes 32 bits; `address` is 4-byte aligned. */
  write32(address: Maddr, value: number): void {
    // The index first: making a slot may move the pool.
    const at = this.#makeWordAt(address);
    this.words[at] = value | 0;
  }

  /** Writes 64 bits; `address` is 8-byte aligned. For people and imports, not for hot paths. */
  write64(address: Maddr, value: bigint): void {
    const at = this.#makeWordAt(address);
    this.words[at] = Number(BigInt.asIntN(32, value));
    this.words[at + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  override [viewOf](): View {
    return physMemView(this);
  }
}
