/**
 * The geometry of x86-64 paging as data; the walk, the table builder and the validator are loops over it.
 *
 * ```text
 *   63      57 56     48 47     39 38     30 29     21 20     12 11        0
 *  ┌──────────┬─────────┬─────────┬─────────┬─────────┬─────────┬───────────┐
 *  │   sign   │ level 5 │ level 4 │ level 3 │ level 2 │ level 1 │  offset   │
 *  └──────────┴─────────┴─────────┴─────────┴─────────┴─────────┴───────────┘
 *      a leaf may be at:                1 GiB     2 MiB     4 KiB
 * ```
 *
 * Arrays are indexed by level; index 0 is unused.
 *
 * @cite sdm 3A 4.5 Figure 4-8
 * @module
 */

import { outOfRange } from "../core/misuse.ts";

/** Lowest bit of the index into the table of this level; also log2 of the bytes one entry covers. */
export const LEVEL_SHIFT: readonly number[] = Object.freeze([0, 12, 21, 30, 39, 48]);

/** Highest level at which PS = 1 makes a leaf. */
export const MAX_LEAF_LEVEL = 3;

/** All packed flags of an entry, `pte.ts`. */
const ALL_FLAGS = 0xff_ffff;

/**
 * Checks a number of paging levels.
 *
 * @throws {RangeError} if it is not 4 or 5
 */
export function checkLevels(action: string, levels: number): 4 | 5 {
  if (levels !== 4 && levels !== 5) throw outOfRange(action, levels, "there are 4 or 5 levels of paging");
  return levels;
}

/**
 * Checks packed flags.
 *
 * @throws {RangeError} naming the first bit that no entry has
 */
export function checkFlags(action: string, flags: number): number {
  if (!Number.isSafeInteger(flags) || flags < 0) {
    throw outOfRange(action, flags, "packed flags are a whole number of 24 bits");
  }
  if (flags > ALL_FLAGS) {
    const bit = [...(Math.floor(flags / 2 ** 24)).toString(2)].reverse().indexOf("1") + 24;
    throw outOfRange(action, flags, `an entry has no packed flag ${bit}; there are 0 to 23`);
  }
  return flags;
}

/** Name of the entries of a level. */
export const ENTRY_NAME: readonly string[] = Object.freeze(["", "PTE", "PDE", "PDPTE", "PML4E", "PML5E"]);

/** Name of the page that a leaf of a level maps. */
export const PAGE_NAME: readonly string[] = Object.freeze([
  "",
  "4 KiB",
  "2 MiB",
  "1 GiB",
  "512 GiB",
  "256 TiB",
]);

/** Mask of the offset within the page that a leaf of this level maps. */
export const OFFSET_MASK: readonly number[] = Object.freeze([0, 0xfff, 0x1fffff, 0x3fffffff]);

/** 4 KiB frames covered by one entry of this level. */
export const FRAMES_PER_ENTRY: readonly number[] = Object.freeze([0, 1, 2 ** 9, 2 ** 18, 2 ** 27, 2 ** 36]);

/**
 * Low-word bits that are reserved in a leaf of this level: between the PAT bit (12) and the frame.
 *
 * @cite sdm 3A 4.5 Tables 4-15, 4-17 and 4-19
 */
export const RESERVED_IN_LEAF: readonly number[] = Object.freeze([0, 0, 0x001fe000, 0x3fffe000]);

/** Low-word bits that are reserved in an entry of this level that points to a table: PS where no leaf may be. */
export const RESERVED_IN_TABLE_ENTRY: readonly number[] = Object.freeze([0, 0, 0, 0, 0x80, 0x80]);

/** Index into the table of `level` for the linear address with these halves. */
export function indexAt(level: number, hi: number, lo: number): number {
  const shift = LEVEL_SHIFT[level]!;
  return (shift >= 32 ? hi >>> shift - 32 : hi << 32 - shift | lo >>> shift) & 511;
}

/**
 * High-word bits of an entry that are reserved for a processor: physical-address bits it does not have, and bit 63
 * while no-execute is not enabled.
 *
 * @param maxPhyAddr bits of a physical address, 36 … 52
 * @cite sdm 3A 4.5 reserved bits
 */
export function reservedHighBits(maxPhyAddr: number, nxEnabled: boolean): number {
  const address = 0xfffff & ~(2 ** (maxPhyAddr - 32) - 1);
  return nxEnabled ? address : address | 1 << 31;
}

/** Twice the index into the table of `level`: where the entry's low word lies. */
export function doubleIndexAt(level: number, hi: number, lo: number): number {
  switch (level) {
    case 1:
      return lo >>> 11 & 1022;
    case 2:
      return lo >>> 20 & 1022;
    case 3:
      return (hi << 3 | lo >>> 29) & 1022;
    case 4:
      return hi >>> 6 & 1022;
    default:
      return hi >>> 15 & 1022;
  }
}
