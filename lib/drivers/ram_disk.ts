/**
 * A disk in memory: sectors of 512 bytes, sparse. Enough to see which frame a transfer reached, and what it brought.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { wholeNumber } from "../core/misuse.ts";

/** Bytes of a sector. */
export const SECTOR_SIZE = 512;

/** 32-bit words of a sector. */
export const SECTOR_WORDS = 128;

/** A disk of bytes, sparse by sector. */
export class RamDisk extends Shown {
  /** Little-endian words, as in machine memory. */
  readonly #sectors = new Map<number, Int32Array>();
  /** Fill of sectors never written: by sector number. */
  readonly #fill: (sector: number) => number;

  /**
   * @param size bytes, a multiple of 512
   * @param fill byte value of each sector that was never written
   */
  constructor(readonly size: number, fill: (sector: number) => number = () => 0) {
    super();
    wholeNumber("make a disk of bytes", size, SECTOR_SIZE, 2 ** 40);
    this.#fill = fill;
  }

  /** Sectors. */
  get nrSectors(): number {
    return Math.floor(this.size / SECTOR_SIZE);
  }

  /** The byte at an offset. */
  read8(offset: number): number {
    const sector = Math.floor(offset / SECTOR_SIZE);
    const words = this.#sectors.get(sector);
    if (words === undefined) return this.#fill(sector) & 0xff;
    return words[offset % SECTOR_SIZE >> 2]! >>> offset % 4 * 8 & 0xff;
  }

  /** Writes one byte. */
  write8(offset: number, value: number): void {
    const words = this.#sector(Math.floor(offset / SECTOR_SIZE));
    const at = offset % SECTOR_SIZE >> 2;
    const shift = offset % 4 * 8;
    words[at] = words[at]! & ~(0xff << shift) | (value & 0xff) << shift;
  }

  /** Copies a sector to the words from `at` on. */
  readSector(sector: number, words: Int32Array, at: number): void {
    const own = this.#sectors.get(sector);
    if (own === undefined) words.fill(this.#fillWord(sector), at, at + SECTOR_WORDS);
    else words.set(own, at);
  }

  /** Copies the words from `at` on to a sector. */
  writeSector(sector: number, words: Int32Array, at: number): void {
    const own = this.#sectors.get(sector);
    if (own === undefined) this.#sectors.set(sector, words.slice(at, at + SECTOR_WORDS));
    else for (let i = 0; i < SECTOR_WORDS; i++) own[i] = words[at + i]!;
  }

  /** Makes sectors read as zero, as a discard may. */
  discard(sector: number, count: number): void {
    for (let i = sector; i < sector + count; i++) this.#sector(i).fill(0);
  }

  #sector(sector: number): Int32Array {
    let words = this.#sectors.get(sector);
    if (words === undefined) {
      words = new Int32Array(SECTOR_WORDS).fill(this.#fillWord(sector));
      this.#sectors.set(sector, words);
    }
    return words;
  }

  #fillWord(sector: number): number {
    return Math.imul(this.#fill(sector) & 0xff, 0x01010101);
  }

  override [viewOf](): View {
    return { line: `disk of ${this.size / 2 ** 20} MiB, ${this.#sectors.size} sectors written` };
  }
}
