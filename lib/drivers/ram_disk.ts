/**
 * A disk in memory, as far as direct I/O needs one: sectors of 512 bytes, each holding one byte value. Enough to see
 * which frame a transfer reached.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { wholeNumber } from "../core/misuse.ts";

/** Bytes of a sector. */
export const SECTOR_SIZE = 512;

/** A disk of bytes, sparse by sector of one value. */
export class RamDisk extends Shown {
  readonly #bytes = new Map<number, Uint8Array>();
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

  /** The byte at an offset. */
  read8(offset: number): number {
    const sector = Math.floor(offset / SECTOR_SIZE);
    return this.#bytes.get(sector)?.[offset % SECTOR_SIZE] ?? this.#fill(sector) & 0xff;
  }

  /** Writes one byte. */
  write8(offset: number, value: number): void {
    const sector = Math.floor(offset / SECTOR_SIZE);
    let bytes = this.#bytes.get(sector);
    if (bytes === undefined) {
      bytes = new Uint8Array(SECTOR_SIZE).fill(this.#fill(sector) & 0xff);
      this.#bytes.set(sector, bytes);
    }
    bytes[offset % SECTOR_SIZE] = value & 0xff;
  }

  override [viewOf](): View {
    return { line: `disk of ${this.size / 2 ** 20} MiB, ${this.#bytes.size} sectors written` };
  }
}
