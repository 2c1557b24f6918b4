/**
 * Building page tables by hand: what tests, notebooks and image readers do. The modelled kernels do not use this;
 * they write entries through their own paths, and those are what is counted.
 *
 * A change here invalidates nothing: the caller owes the flush, as on the machine.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { pageTableView } from "./views/page_table_view.ts";
import { withinBudget } from "../core/budget.ts";
import { type Maddr, maddrOf, MAX_FRAME, type Mfn, splitVaddr, type Vaddr, vaddr } from "../core/frames.ts";
import { ENTRY_SIZE, PTRS_PER_TABLE } from "../core/geometry.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { hex } from "../core/show.ts";
import { entryAt, isLeafEntry, type Leaf, leafOf, leavesOf, writeEntry } from "./leaves.ts";
import { checkFlags, checkLevels, FRAMES_PER_ENTRY, indexAt, LEVEL_SHIFT, PAGE_NAME } from "./levels.ts";
import type { PhysMem } from "./phys_mem.ts";
import {
  _PAGE_PAT,
  _PAGE_PRESENT,
  _PAGE_PSE,
  _PAGE_RW,
  _PAGE_USER,
  entryHi,
  entryLo,
  frameOf,
} from "./pte.ts";

/** Page sizes, as people name them, and the level their leaf is at. */
export const PAGE_SIZES = Object.freeze({ "4K": 1, "2M": 2, "1G": 3 } as const);

/** Name of a page size. */
export type PageSizeName = keyof typeof PAGE_SIZES;

/** What a page table is made of. */
export interface PageTableOptions {
  /** Hands out a frame for a new table; its content must be zero. */
  readonly allocate: () => Mfn;
  /** Takes back the frame of a table that has become empty. */
  readonly free?: (frame: Mfn) => void;
  readonly levels?: 4 | 5;
  /** An existing top table; without it one is allocated. */
  readonly root?: Mfn;
  /** Packed flags of entries that point to tables. */
  readonly tableFlags?: number;
}

/** How pages are mapped. */
export interface MapOptions {
  readonly size?: PageSizeName;
  /** Packed flags of the leaves, PS excluded; without it present, writable, user. */
  readonly flags?: number;
  /** How many pages of that size, at consecutive addresses and frames. */
  readonly pages?: number;
}

/** PAT in a leaf of levels 2 and 3. */
const LARGE_PAT = 1 << 12;
const OPEN = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;

/**
 * A tree of tables in memory.
 *
 * @example
 * ```ts
 * import { mfn } from "grantlab/core";
 * import { PageTable, PhysMem } from "grantlab/x86";
 * let free = 0x100;
 * const tables = new PageTable(new PhysMem(0x1000), { allocate: () => mfn(free++) });
 * tables.map(0x200000, mfn(0x400), { size: "2M" });
 * const leaf = tables.lookup(0x234567);
 * if (leaf?.level !== 2 || leaf.frame !== 0x400) throw new Error();
 * if (tables.unmap(0x200000, 512) !== 1) throw new Error();
 * ```
 */
export class PageTable extends Shown {
  readonly root: Mfn;
  readonly levels: 4 | 5;
  readonly #allocate: () => Mfn;
  readonly #free: (frame: Mfn) => void;
  readonly #tableFlags: number;

  constructor(
    readonly mem: PhysMem,
    { allocate, free = () => {}, levels = 4, root, tableFlags = OPEN }: PageTableOptions,
  ) {
    super();
    this.#allocate = allocate;
    this.#free = free;
    this.levels = checkLevels("make page tables of levels", levels);
    this.#tableFlags = tableFlags;
    this.root = root ?? allocate();
  }

  /**
   * Maps pages.
   *
   * @throws {RangeError} if address or frame is not aligned to the page size, the address is not canonical, or
   *   something is mapped there already: then the pages before it stay mapped
   */
  map(va: number | bigint, frame: Mfn, { size = "4K", flags = OPEN, pages = 1 }: MapOptions = {}): void {
    const level = lookUp("page size", PAGE_SIZES, size);
    const start = this.#aligned("map", va, level);
    if (frame % FRAMES_PER_ENTRY[level]! !== 0) {
      throw outOfRange("map frame", frame, `it is not aligned to a ${PAGE_NAME[level]} page`);
    }
    withinBudget("map pages", pages, "pagesPerCall");
    wholeNumber("map frame", frame, 0, MAX_FRAME + 1 - pages * FRAMES_PER_ENTRY[level]!);
    checkFlags("map with flags", flags);
    const leafFlags = level === 1 ? flags : flags | _PAGE_PSE;
    for (let i = 0; i < pages; i++) {
      const page = vaddr(start + (BigInt(i) << BigInt(LEVEL_SHIFT[level]!)), this.#width);
      const at = this.#makeEntry(page, level);
      if (this.mem.read64(at) !== 0n) throw outOfRange("map", page, "an entry is there already");
      const next = frame + i * FRAMES_PER_ENTRY[level]!;
      writeEntry(this.mem, at, entryLo(next, leafFlags), entryHi(next, leafFlags));
    }
  }

  /**
   * Clears the leaves of `pages` 4 KiB pages; absent pages are passed over. Answers how many leaves there were.
   *
   * @throws {RangeError} if the range begins or ends inside a large page, before anything is changed
   */
  unmap(va: number | bigint, pages = 1): number {
    const leaves = this.#leavesIn("unmap", va, pages);
    for (const leaf of leaves) writeEntry(this.mem, leaf.at, 0, 0);
    return leaves.length;
  }

  /** Replaces the flags of the leaves of `pages` 4 KiB pages; otherwise as {@linkcode unmap}. */
  protect(va: number | bigint, flags: number, pages = 1): number {
    checkFlags("protect with flags", flags);
    const leaves = this.#leavesIn("protect", va, pages);
    for (const leaf of leaves) {
      const isLarge = leaf.level > 1;
      const leafFlags = isLarge ? flags | _PAGE_PSE : flags;
      // The PAT bit of a large page, 12, is none of the packed flags: it stays.
      const lo = entryLo(leaf.frame, leafFlags) | (isLarge ? leaf.lo & LARGE_PAT : 0);
      writeEntry(this.mem, leaf.at, lo, entryHi(leaf.frame, leafFlags));
    }
    return leaves.length;
  }

  /**
   * Splits the large page that maps an address into 512 pages of the next smaller size: same frames, same rights, same
   * cache attributes, same accessed and dirty bits. Answers the level of the new leaves.
   *
   * ```text
   *  2 MiB   … PAT(12) … PS(7) = 1 …          4 KiB   … PAT(7) …        the PAT bit moves
   * ```
   *
   * @throws {RangeError} if no large page maps the address
   */
  split(va: number | bigint): number {
    const leaf = this.lookup(va);
    if (leaf === undefined) throw outOfRange("split the page at", va, "nothing is mapped there");
    if (leaf.level === 1) throw outOfRange("split the page at", va, "it is a 4 KiB page");
    const level = leaf.level - 1;
    const table = this.#allocate();
    wholeNumber("use as a table frame", table, 0, this.mem.nrFrames - 1);
    const isSmall = level === 1;
    const pat = (leaf.lo & LARGE_PAT) !== 0;
    const flags = (isSmall ? leaf.flags & ~_PAGE_PSE : leaf.flags) | (isSmall && pat ? _PAGE_PAT : 0);
    for (let i = 0; i < PTRS_PER_TABLE; i++) {
      const frame = leaf.frame + i * FRAMES_PER_ENTRY[level]!;
      const lo = entryLo(frame, flags) | (!isSmall && pat ? LARGE_PAT : 0);
      writeEntry(this.mem, maddrOf(table, i * ENTRY_SIZE), lo, entryHi(frame, flags));
    }
    writeEntry(this.mem, leaf.at, entryLo(table, this.#tableFlags), entryHi(table, this.#tableFlags));
    return level;
  }

  /**
   * Takes out tables in which no entry is left, and tables that held nothing but those; the top table stays. Answers
   * how many. A table reached by two ways is judged once; one that points to itself is not empty.
   */
  freeEmptyTables(): number {
    const freed = new Set<number>();
    const verdicts = new Map<string, boolean>();
    const isEmpty = (table: number, level: number): boolean => {
      const key = `${level}:${table}`;
      const known = verdicts.get(key);
      if (known !== undefined) return known;
      verdicts.set(key, false); // while it is being looked at: a way back to it is an entry in use
      const slot = this.mem.slotOf(table);
      let inUse = this.mem.isBacked(table) ? 0 : 1;
      for (let index = 0; slot >= 0 && index < PTRS_PER_TABLE; index++) {
        const at = slot << 10 | index << 1;
        const [lo, hi] = [this.mem.words[at]!, this.mem.words[at + 1]!];
        if (lo === 0 && hi === 0) continue;
        if ((lo & _PAGE_PRESENT) !== 0 && !isLeafEntry(level, lo) && isEmpty(frameOf(lo, hi), level - 1)) {
          freed.add(frameOf(lo, hi));
          this.mem.words[at] = 0;
          this.mem.words[at + 1] = 0;
        } else inUse++;
      }
      verdicts.set(key, inUse === 0);
      return inUse === 0;
    };
    isEmpty(this.root, this.levels);
    for (const table of freed) {
      this.mem.clearFrame(table as Mfn);
      this.#free(table as Mfn);
    }
    return freed.size;
  }

  /** The present leaf that maps an address. */
  lookup(va: number | bigint): Leaf | undefined {
    const entry = entryAt(this.mem, this.root, this.levels, vaddr(va, this.#width));
    return entry !== undefined && (entry.lo & _PAGE_PRESENT) !== 0 ? leafOf(entry) : undefined;
  }

  /** Every present leaf, by ascending index. */
  leaves(): Generator<Leaf> {
    return leavesOf(this.mem, this.root, this.levels);
  }

  get #width(): 48 | 57 {
    return this.levels === 5 ? 57 : 48;
  }

  #aligned(action: string, va: number | bigint, level: number): Vaddr {
    const address = vaddr(va, this.#width);
    if (address % (1n << BigInt(LEVEL_SHIFT[level]!)) !== 0n) {
      throw outOfRange(action, address, `it is not aligned to a ${PAGE_NAME[level]} page`);
    }
    return address;
  }

  #leavesIn(action: string, va: number | bigint, pages: number): Leaf[] {
    const start: bigint = this.#aligned(action, va, 1);
    const end = start + (BigInt(withinBudget(`${action} pages`, pages, "pagesPerCall")) << 12n);
    const leaves: Leaf[] = [];
    for (let at = start; at < end;) {
      const entry = entryAt(this.mem, this.root, this.levels, vaddr(at, this.#width));
      if (entry === undefined) {
        throw outOfRange(action, at, "a table on the way there has no memory behind it");
      }
      const next = entry.va + (1n << BigInt(LEVEL_SHIFT[entry.level]!));
      if ((entry.lo & _PAGE_PRESENT) !== 0) {
        if (entry.va < start || next > end) {
          throw outOfRange(
            action,
            at,
            `the range cuts the ${PAGE_NAME[entry.level]} page at ${hex(entry.va)}`,
          );
        }
        leaves.push(leafOf(entry));
      }
      at = next;
    }
    return leaves;
  }

  /** Machine address of the entry for `va` at `level`, its tables made where need be. */
  #makeEntry(va: Vaddr, level: number): Maddr {
    const [hi, lo] = splitVaddr(va);
    let table: Mfn = this.root;
    for (let l: number = this.levels; l > level; l--) {
      const at = maddrOf(table, indexAt(l, hi, lo) * 8);
      const entry = this.mem.read64(at);
      if ((entry & 1n) === 0n) {
        if (entry !== 0n) throw outOfRange("map", va, `the entry at level ${l} is not present but in use`);
        table = this.#allocate();
        wholeNumber("use as a table frame", table, 0, this.mem.nrFrames - 1);
        writeEntry(this.mem, at, entryLo(table, this.#tableFlags), entryHi(table, this.#tableFlags));
        continue;
      }
      const [entryHigh, entryLow] = splitVaddr(entry);
      if (isLeafEntry(l, entryLow)) throw outOfRange("map", va, `it lies in a ${PAGE_NAME[l]} page`);
      table = frameOf(entryLow, entryHigh) as Mfn;
    }
    return maddrOf(table, indexAt(level, hi, lo) * 8);
  }

  override [viewOf](): View {
    return pageTableView(this.mem, this.root, this.levels);
  }
}
