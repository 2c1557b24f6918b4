/**
 * Extended page tables (VMX): the walk from a guest-physical to a machine address.
 *
 * ```text
 *  63  62      52 51                    12 11 10  9  8  7  6 5   3 2 1 0
 * ┌───┬──────────┬────────────────────────┬──┬──┬──┬──┬──┬──┬─────┬─┬─┬─┐
 * │ve │ ignored  │ frame                  │  │  │ D│ A│PS│IP│ type│X│W│R│
 * └───┴──────────┴────────────────────────┴──┴──┴──┴──┴──┴──┴─────┴─┴─┴─┘
 * ```
 *
 * An entry is present if R, W or X is 1. A violation is judged on the AND over all entries; a misconfiguration stops
 * the walk where it is found. Left out: mode-based execute control, sub-page permissions, #VE, paging-write.
 *
 * @cite sdm 3C 29.3 the extended page table mechanism
 * @module
 */

import { MAX_FRAME } from "../core/frames.ts";
import { wholeNumber } from "../core/misuse.ts";
import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { checkLevels, doubleIndexAt, reservedHighBits } from "./levels.ts";
import {
  NESTED_EPT_MISCONFIGURATION,
  NESTED_EPT_VIOLATION,
  NESTED_FETCH,
  NESTED_NO_MEMORY,
  NESTED_OK,
  NESTED_READ,
  NESTED_TABLE_READ,
  NESTED_TABLE_WRITE,
  NESTED_WRITE,
  type NestedResult,
  type NestedTables,
} from "./nested_access.ts";

export const EPT_READ = 1 << 0;
export const EPT_WRITE = 1 << 1;
export const EPT_EXECUTE = 1 << 2;
/** Where the memory type of a leaf lies. */
export const EPT_TYPE_SHIFT = 3;
/** Ignore the guest's PAT. */
export const EPT_IGNORE_PAT = 1 << 6;
export const EPT_LARGE = 1 << 7;
export const EPT_ACCESSED = 1 << 8;
export const EPT_DIRTY = 1 << 9;

/** Exit qualification: the guest-linear-address field is valid. */
export const EPT_QUALIFICATION_LINEAR = 1 << 7;
/** The access was to the page itself, not to an entry of the guest's tables. */
export const EPT_QUALIFICATION_PAGE = 1 << 8;

const RWX = EPT_READ | EPT_WRITE | EPT_EXECUTE;
const NESTED_STEP = EV.nested_step;
const LEAF_RESERVED = Int32Array.from([0, 0, 0x1ff000, 0x3ffff000, 0, 0]);
/** Bits 6:3 of an entry that points to a table; bit 7 too where no leaf may be. */
const TABLE_RESERVED = Int32Array.from([0, 0, 0x78, 0x78, 0xf8, 0xf8]);
const OFFSET = Int32Array.from([0, 0xfff, 0x1fffff, 0x3fffffff]);

/** What the processor and the EPT pointer say. */
export interface EptOptions {
  /** Walk length: 4 or 5. */
  readonly levels?: 4 | 5;
  /** EPTP bit 6: accessed and dirty flags are used. */
  readonly accessedDirty?: boolean;
  /** Whether an entry may be executable without being readable. */
  readonly executeOnly?: boolean;
  readonly maxPhyAddr?: number;
}

/**
 * The EPT of one guest.
 *
 * @throws {RangeError} if `root` is no frame number or MAXPHYADDR not 36 … 52
 *
 * @example
 * ```ts
 * import { maddr } from "grantlab/core";
 * import { Trace } from "grantlab/trace";
 * import { ept, NESTED_EPT_VIOLATION, NESTED_WRITE, NestedResult, PhysMem } from "grantlab/x86";
 * const mem = new PhysMem(16);
 * const out = new NestedResult();
 * const outcome = ept(1).translate(mem, new Trace(), 0, 0x5008, NESTED_WRITE, out);
 * if (outcome !== NESTED_EPT_VIOLATION || out.qualification !== 0x182 || out.level !== 4) throw new Error();
 * ```
 */
export function ept(
  root: number,
  { levels = 4, accessedDirty = false, executeOnly = true, maxPhyAddr = 46 }: EptOptions = {},
): NestedTables {
  wholeNumber("make an EPT with root frame", root, 0, MAX_FRAME);
  checkLevels("make an EPT of levels", levels);
  wholeNumber("make an EPT for MAXPHYADDR", maxPhyAddr, 36, 52);
  const reservedHi = reservedHighBits(maxPhyAddr, true);
  return {
    format: "EPT",
    root,
    translate(mem, trace, gpaHi, gpaLo, use, out) {
      out.gpaHi = gpaHi;
      out.gpaLo = gpaLo;
      const needed = rightsFor(use, accessedDirty);
      let level: number = levels;
      // A guest-physical address that the walk cannot express is not mapped.
      if (level === 4 && gpaHi >>> 16 !== 0) return violation(trace, level, 0, use, accessedDirty, 0, out);
      const words = mem.words;
      let table = root | 0;
      let rights = RWX;
      let steps = 0;
      for (;; level--) {
        const slot = mem.slotOf(table);
        if (slot < 0 && !mem.isBacked(table)) return noMemory(trace, level, table, steps, out);
        const at = slot << 10 | doubleIndexAt(level, gpaHi, gpaLo);
        const lo = slot < 0 ? 0 : words[at]!;
        const hi = slot < 0 ? 0 : words[at + 1]!;
        steps++;
        if ((lo & RWX) === 0) return violation(trace, level, 0, use, accessedDirty, steps, out);
        const isLeaf = level === 1 || level <= 3 && (lo & EPT_LARGE) !== 0;
        if (isMisconfigured(lo, hi, level, isLeaf, reservedHi, executeOnly)) {
          return misconfiguration(trace, level, steps, out);
        }
        rights &= lo;
        if (isLeaf) {
          if ((rights & needed) !== needed) {
            return violation(trace, level, rights & RWX, use, accessedDirty, steps, out);
          }
          if (accessedDirty) words[at] = lo | EPT_ACCESSED | ((needed & EPT_WRITE) !== 0 ? EPT_DIRTY : 0);
          const offset = OFFSET[level]!;
          out.paHi = hi & 0xfffff;
          out.paLo = lo & ~offset | gpaLo & offset;
          out.level = level;
          out.isWritable = (rights & EPT_WRITE) !== 0;
          out.memoryType = lo >>> EPT_TYPE_SHIFT & 7;
          trace.add(NESTED_STEP, steps);
          return out.outcome = NESTED_OK;
        }
        if (accessedDirty) words[at] = lo | EPT_ACCESSED;
        const tableHi = hi & 0xfffff;
        if (tableHi > 0x7ff) return noMemory(trace, level - 1, tableHi * 0x100000 + (lo >>> 12), steps, out);
        table = tableHi << 20 | lo >>> 12;
      }
    },
  };
}

/** @cite sdm 3C 29.3.3.2 EPT violations */
function rightsFor(use: number, accessedDirty: boolean): number {
  switch (use) {
    case NESTED_READ:
      return EPT_READ;
    case NESTED_FETCH:
      return EPT_EXECUTE;
    case NESTED_TABLE_READ:
      // With accessed and dirty flags for EPT the walk's accesses to the guest's tables count as writes.
      return accessedDirty ? EPT_READ | EPT_WRITE : EPT_READ;
    default:
      return EPT_WRITE;
  }
}

/** @cite sdm 3C 29.3.3.1 EPT misconfigurations */
function isMisconfigured(
  lo: number,
  hi: number,
  level: number,
  isLeaf: boolean,
  reservedHi: number,
  executeOnly: boolean,
): boolean {
  if ((lo & (EPT_READ | EPT_WRITE)) === EPT_WRITE) return true;
  if (!executeOnly && (lo & RWX) === EPT_EXECUTE) return true;
  if ((hi & reservedHi) !== 0) return true;
  if (!isLeaf) return (lo & TABLE_RESERVED[level]!) !== 0;
  const type = lo >>> EPT_TYPE_SHIFT & 7;
  return (lo & LEAF_RESERVED[level]!) !== 0 || type === 2 || type === 3 || type === 7;
}

function violation(
  trace: Trace,
  level: number,
  rights: number,
  use: number,
  accessedDirty: boolean,
  steps: number,
  out: NestedResult,
): number {
  trace.add(NESTED_STEP, steps);
  const isTable = use === NESTED_TABLE_READ || use === NESTED_TABLE_WRITE;
  const asked = use === NESTED_WRITE || use === NESTED_TABLE_WRITE
    ? EPT_WRITE
    : rightsFor(use, accessedDirty);
  out.level = level;
  out.qualification = asked | rights << 3 | EPT_QUALIFICATION_LINEAR | (isTable ? 0 : EPT_QUALIFICATION_PAGE);
  return out.outcome = NESTED_EPT_VIOLATION;
}

function misconfiguration(trace: Trace, level: number, steps: number, out: NestedResult): number {
  trace.add(NESTED_STEP, steps);
  out.level = level;
  out.qualification = 0;
  return out.outcome = NESTED_EPT_MISCONFIGURATION;
}

function noMemory(trace: Trace, level: number, frame: number, steps: number, out: NestedResult): number {
  trace.add(NESTED_STEP, steps);
  out.level = level;
  out.paHi = frame;
  return out.outcome = NESTED_NO_MEMORY;
}
