/**
 * Reading page tables without translating: every leaf in order, or the entry that decides about one address. Nothing
 * is checked but P and PS, no bit is set; a table with no memory behind it is passed over (`validate.ts` reports it).
 *
 * @module
 */

import {
  joinHalves,
  type Maddr,
  maddrOf,
  type Mfn,
  mfnOf,
  splitVaddr,
  truncateVaddr,
  type Vaddr,
} from "../core/frames.ts";
import { ENTRY_SIZE, PAGE_SIZE, PTRS_PER_TABLE } from "../core/geometry.ts";
import { indexAt, LEVEL_SHIFT, MAX_LEAF_LEVEL, OFFSET_MASK } from "./levels.ts";
import type { PhysMem } from "./phys_mem.ts";
import { _PAGE_PRESENT, _PAGE_PSE, flagsOf, frameOf } from "./pte.ts";

/** An entry, where it was found. */
export interface Entry {
  /** First address the entry covers. */
  readonly va: Vaddr;
  readonly level: number;
  /** Machine address of the entry. */
  readonly at: Maddr;
  /** The entry itself, low word. */
  readonly lo: number;
  /** High word. */
  readonly hi: number;
}

/** A present leaf. */
export interface Leaf extends Entry {
  /** First 4 KiB frame of the page. */
  readonly frame: Mfn;
  /** Packed flags, as in `pte.ts`. */
  readonly flags: number;
}

/** True if a present entry of this level with this low word maps a page. */
export function isLeafEntry(level: number, lo: number): boolean {
  return level === 1 || level <= MAX_LEAF_LEVEL && (lo & _PAGE_PSE) !== 0;
}

/** The leaf that an entry is. */
export function leafOf(entry: Entry): Leaf {
  const { level, lo, hi } = entry;
  return { ...entry, frame: frameOf(lo & ~OFFSET_MASK[level]!, hi) as Mfn, flags: flagsOf(lo, hi) };
}

/** Writes an entry, low and high word, at its machine address. @throws {RangeError} if there is no memory */
export function writeEntry(mem: PhysMem, at: Maddr, lo: number, hi: number): void {
  const word = mem.makeSlot(mfnOf(at)) << 10 | at % PAGE_SIZE >> 2;
  mem.words[word] = lo;
  mem.words[word + 1] = hi;
}

/**
 * The present leaves under a top table, by ascending index (so the upper half of the address space comes last).
 * A table that points to itself is read once per level, as the processor would; the sequence is lazy.
 *
 * @param levels 4 or 5
 */
export function* leavesOf(mem: PhysMem, root: number, levels: 4 | 5): Generator<Leaf> {
  yield* leavesBelow(mem, root, levels, 0n, levels === 5 ? 57 : 48);
}

function* leavesBelow(
  mem: PhysMem,
  table: number,
  level: number,
  base: bigint,
  width: 48 | 57,
): Generator<Leaf> {
  const slot = mem.slotOf(table);
  if (slot < 0) return;
  for (let index = 0; index < PTRS_PER_TABLE; index++) {
    const at = slot << 10 | index << 1;
    const lo = mem.words[at]!;
    if ((lo & _PAGE_PRESENT) === 0) continue;
    const hi = mem.words[at + 1]!;
    const va = base | BigInt(index) << BigInt(LEVEL_SHIFT[level]!);
    if (isLeafEntry(level, lo)) {
      yield leafOf({
        va: truncateVaddr(va, width),
        level,
        at: maddrOf(table as Mfn, index * ENTRY_SIZE),
        lo,
        hi,
      });
    } else yield* leavesBelow(mem, frameOf(lo, hi), level - 1, va, width);
  }
}

/**
 * The entry at which a walk for this address ends: the leaf, or the first entry that is not present. `undefined` if
 * a table on the way has no memory behind it.
 */
export function entryAt(mem: PhysMem, root: number, levels: 4 | 5, va: bigint): Entry | undefined {
  const [vaHi, vaLo] = splitVaddr(va);
  let table = root;
  for (let level: number = levels;; level--) {
    if (!mem.isBacked(table)) return undefined;
    const slot = mem.slotOf(table);
    const index = indexAt(level, vaHi, vaLo);
    const word = slot << 10 | index << 1;
    const lo = slot < 0 ? 0 : mem.words[word]!;
    const hi = slot < 0 ? 0 : mem.words[word + 1]!;
    if ((lo & _PAGE_PRESENT) === 0 || isLeafEntry(level, lo)) {
      const start = joinHalves(vaHi, vaLo) >> BigInt(LEVEL_SHIFT[level]!) << BigInt(LEVEL_SHIFT[level]!);
      return { va: start as Vaddr, level, at: maddrOf(table as Mfn, index * ENTRY_SIZE), lo, hi };
    }
    table = frameOf(lo, hi);
  }
}
