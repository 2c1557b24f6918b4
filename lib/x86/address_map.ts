/**
 * An address space as a map of ranges: neighbouring leaves of the same page size and the same effective rights are one
 * range, and the listing says whether their frames are consecutive.
 *
 * @module
 */

import { type Mfn, truncateVaddr, type Vaddr } from "../core/frames.ts";
import { PTRS_PER_TABLE } from "../core/geometry.ts";
import { wholeNumber } from "../core/misuse.ts";
import { hex } from "../core/show.ts";
import { isLeafEntry } from "./leaves.ts";
import { checkLevels, FRAMES_PER_ENTRY, LEVEL_SHIFT, OFFSET_MASK, PAGE_NAME } from "./levels.ts";
import type { PhysMem } from "./phys_mem.ts";
import { _PAGE_GLOBAL, _PAGE_PCD, _PAGE_PRESENT, _PAGE_PWT, frameOf } from "./pte.ts";

/** A range of linear addresses that are mapped alike. */
export interface AddressRange {
  readonly start: Vaddr;
  /** First address after it; 2^64 after the last page. */
  readonly end: bigint;
  /** Level of the leaves: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB. */
  readonly level: number;
  readonly pages: number;
  /** Frame of the first page. */
  readonly frame: Mfn;
  /** Whether the frames are consecutive. */
  readonly isContiguous: boolean;
  /** R/W = 1, U/S = 1, NX = 0 in every entry of the walk. */
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  readonly global: boolean;
  /** PWT, PCD and PAT of the leaves as an index into IA32_PAT. */
  readonly patIndex: number;
}

/** What is mapped under a top table. */
export interface AddressMap {
  readonly ranges: readonly AddressRange[];
  /** Leaves looked at. */
  readonly leaves: number;
  /** True if the limit was reached: there is more, as where a table points to itself. */
  readonly isCut: boolean;
}

const MOST_LEAVES = 2 ** 22;

/** An accumulating range. */
type Open = { -readonly [K in keyof AddressRange]: AddressRange[K] } & { next: number; key: number };

/**
 * The ranges under a top table, by ascending index.
 *
 * @param limit leaves to look at before giving up; tables that point to themselves have no end
 *
 * @example
 * ```ts
 * import { mfn } from "grantlab/core";
 * import { addressMap, describeAddressMap, PageTable, PhysMem } from "grantlab/x86";
 * let free = 1;
 * const tables = new PageTable(new PhysMem(0x1000), { allocate: () => mfn(free++) });
 * tables.map(0x4000, mfn(0x20), { pages: 3 });
 * const map = addressMap(tables.mem, tables.root, 4);
 * if (map.ranges.length !== 1 || map.ranges[0]!.end !== 0x7000n) throw new Error();
 * if (!describeAddressMap(map)[0]!.includes("3 × 4 KiB")) throw new Error();
 * ```
 */
export function addressMap(mem: PhysMem, root: number, levels: 4 | 5, limit = MOST_LEAVES): AddressMap {
  checkLevels("map an address space of levels", levels);
  wholeNumber("map an address space of leaves, at most", limit, 1, MOST_LEAVES);
  const ranges: Open[] = [];
  const width = levels === 5 ? 57 : 48;
  let leaves = 0;

  function visit(table: number, level: number, base: bigint, both: number, either: number): boolean {
    const slot = mem.slotOf(table);
    if (slot < 0) return true;
    for (let index = 0; index < PTRS_PER_TABLE; index++) {
      const at = slot << 10 | index << 1;
      const lo = mem.words[at]!;
      if ((lo & _PAGE_PRESENT) === 0) continue;
      const hi = mem.words[at + 1]!;
      const va = base | BigInt(index) << BigInt(LEVEL_SHIFT[level]!);
      if (!isLeafEntry(level, lo)) {
        if (!visit(frameOf(lo, hi), level - 1, va, both & lo, either | hi)) return false;
      } else {
        if (leaves === limit) return false;
        leaves++;
        extend(ranges, truncateVaddr(va, width), level, { lo, hi, both: both & lo, either: either | hi });
      }
    }
    return true;
  }

  const isWhole = visit(root, levels, 0n, 6, 0);
  return { ranges: ranges.map(({ next: _next, key: _key, ...range }) => range), leaves, isCut: !isWhole };
}

function extend(
  ranges: Open[],
  va: Vaddr,
  level: number,
  { lo, hi, both, either }: { lo: number; hi: number; both: number; either: number },
): void {
  const patBit = lo >>> (level === 1 ? 7 : 12) & 1;
  const cache = (lo & (_PAGE_PWT | _PAGE_PCD)) >>> 3 | patBit << 2;
  const key = both & 6 | (either < 0 ? 8 : 0) | lo & _PAGE_GLOBAL | cache << 12;
  const whole = key | level << 16;
  const frame = frameOf(lo & ~OFFSET_MASK[level]!, hi) as Mfn;
  const size = 1n << BigInt(LEVEL_SHIFT[level]!);
  const last = ranges.at(-1);
  if (last !== undefined && last.key === whole && last.end === va) {
    last.end = va + size;
    last.pages++;
    if (last.next !== frame) last.isContiguous = false;
    last.next = frame + FRAMES_PER_ENTRY[level]!;
    return;
  }
  ranges.push({
    start: va,
    end: va + size,
    level,
    pages: 1,
    frame,
    isContiguous: true,
    writable: (both & 2) !== 0,
    user: (both & 4) !== 0,
    executable: either >= 0,
    global: (lo & _PAGE_GLOBAL) !== 0,
    patIndex: cache,
    next: frame + FRAMES_PER_ENTRY[level]!,
    key: whole,
  });
}

/** The map as lines, one a range. */
export function describeAddressMap({ ranges, leaves, isCut }: AddressMap): string[] {
  const lines = ranges.map((r) => {
    const rights = `r${r.writable ? "w" : "-"}${r.executable ? "x" : "-"}${r.user ? "u" : "s"}` +
      (r.global ? "g" : "-");
    const frames = r.pages === 1 ? "" : r.isContiguous ? " on" : ", scattered";
    const cache = r.patIndex === 0 ? "" : `  PAT ${r.patIndex}`;
    return `${hex(r.start, 16)} … ${hex(r.end - 1n, 16)}  ${rights}  ` +
      `${r.pages} × ${PAGE_NAME[r.level]}  frame ${hex(r.frame)}${frames}${cache}`;
  });
  if (isCut) lines.push(`… and more: stopped after ${leaves} leaves`);
  return lines;
}
