/**
 * Nested page tables (SVM): the host's tables in the ordinary long-mode format, walked for every guest-physical
 * address as a user access. The walk's own accesses to the guest's tables count as writes, whatever they do, so the
 * hypervisor cannot hide them behind a read-only page.
 *
 * Left out: guest mode execute trap, supervisor shadow stacks, SEV (the C-bit is an address bit here).
 *
 * @cite apm 2 15.25 nested paging
 * @module
 */

import { MAX_FRAME } from "../core/frames.ts";
import { wholeNumber } from "../core/misuse.ts";
import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import {
  checkLevels,
  doubleIndexAt,
  RESERVED_IN_LEAF,
  RESERVED_IN_TABLE_ENTRY,
  reservedHighBits,
} from "./levels.ts";
import {
  NESTED_FETCH,
  NESTED_NO_MEMORY,
  NESTED_OK,
  NESTED_PAGE_FAULT,
  NESTED_READ,
  NESTED_TABLE_READ,
  NESTED_TABLE_WRITE,
  type NestedResult,
  type NestedTables,
} from "./nested_access.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_PRESENT, _PAGE_PSE, _PAGE_RW, _PAGE_USER } from "./pte.ts";
import { PF_ID, PF_P, PF_RSVD, PF_US, PF_WR } from "./registers.ts";

/** EXITINFO1 bit 32, in the high half: the fault was on the guest's final physical address. */
export const NPF_FINAL = 1 << 0;
/** EXITINFO1 bit 33, in the high half: the fault was on a table of the guest. */
export const NPF_GUEST_TABLE = 1 << 1;

const NESTED_STEP = EV.nested_step;
const LEAF_RESERVED = Int32Array.from(RESERVED_IN_LEAF);
const TABLE_RESERVED = Int32Array.from(RESERVED_IN_TABLE_ENTRY);
const OFFSET = Int32Array.from([0, 0xfff, 0x1fffff, 0x3fffffff]);

/** What the host's registers say while the guest runs. */
export interface NptOptions {
  /** 4, or 5 with the host's CR4.LA57. */
  readonly levels?: 4 | 5;
  /** The host's EFER.NXE. */
  readonly nxEnabled?: boolean;
  readonly maxPhyAddr?: number;
}

/**
 * The NPT of one guest.
 *
 * @throws {RangeError} if `root` is no frame number or MAXPHYADDR not 36 … 52
 *
 * @example
 * ```ts
 * import { Trace } from "grantlab/trace";
 * import { NESTED_PAGE_FAULT, NESTED_TABLE_READ, NestedResult, npt, PhysMem } from "grantlab/x86";
 * const out = new NestedResult();
 * const outcome = npt(1).translate(new PhysMem(16), new Trace(), 0, 0x5008, NESTED_TABLE_READ, out);
 * // A user write of a guest table: bits 2, 1 and 33.
 * if (outcome !== NESTED_PAGE_FAULT || out.qualification !== 6 || out.qualificationHi !== 2) throw new Error();
 * ```
 */
export function npt(
  root: number,
  { levels = 4, nxEnabled = true, maxPhyAddr = 48 }: NptOptions = {},
): NestedTables {
  wholeNumber("make an NPT with root frame", root, 0, MAX_FRAME);
  checkLevels("make an NPT of levels", levels);
  wholeNumber("make an NPT for MAXPHYADDR", maxPhyAddr, 36, 52);
  const reservedHi = reservedHighBits(maxPhyAddr, nxEnabled);
  return {
    format: "NPT",
    root,
    translate(mem, trace, gpaHi, gpaLo, use, out) {
      out.gpaHi = gpaHi;
      out.gpaLo = gpaLo;
      const isWrite = use !== NESTED_READ && use !== NESTED_FETCH;
      const isFetch = use === NESTED_FETCH;
      let level: number = levels;
      if (level === 4 && gpaHi >>> 16 !== 0) return fault(trace, level, 0, use, 0, out);
      const words = mem.words;
      let table = root | 0;
      let both = _PAGE_RW | _PAGE_USER;
      let either = 0;
      let steps = 0;
      for (;; level--) {
        const slot = mem.slotOf(table);
        if (slot < 0 && !mem.isBacked(table)) return noMemory(trace, level, table, steps, out);
        const at = slot << 10 | doubleIndexAt(level, gpaHi, gpaLo);
        const lo = slot < 0 ? 0 : words[at]!;
        const hi = slot < 0 ? 0 : words[at + 1]!;
        steps++;
        if ((lo & _PAGE_PRESENT) === 0) return fault(trace, level, 0, use, steps, out);
        const isLeaf = level === 1 || level <= 3 && (lo & _PAGE_PSE) !== 0;
        const reservedLo = isLeaf ? LEAF_RESERVED[level]! : TABLE_RESERVED[level]!;
        if (((lo & reservedLo) | (hi & reservedHi)) !== 0) {
          return fault(trace, level, PF_P | PF_RSVD, use, steps, out);
        }
        both &= lo;
        either |= hi;
        if (isLeaf) {
          const isDenied = (both & _PAGE_USER) === 0 || isWrite && (both & _PAGE_RW) === 0 ||
            isFetch && either < 0;
          if (isDenied) return fault(trace, level, PF_P, use, steps, out);
          words[at] = lo | _PAGE_ACCESSED | (isWrite ? _PAGE_DIRTY : 0);
          const offset = OFFSET[level]!;
          out.paHi = hi & 0xfffff;
          out.paLo = lo & ~offset | gpaLo & offset; // the offset of a large page covers its PAT bit, 12
          out.level = level;
          out.isWritable = (both & _PAGE_RW) !== 0;
          out.memoryType = -1;
          trace.add(NESTED_STEP, steps);
          return out.outcome = NESTED_OK;
        }
        words[at] = lo | _PAGE_ACCESSED;
        const tableHi = hi & 0xfffff;
        if (tableHi > 0x7ff) return noMemory(trace, level - 1, tableHi * 0x100000 + (lo >>> 12), steps, out);
        table = tableHi << 20 | lo >>> 12;
      }
    },
  };
}

/** @cite apm 2 15.25.6 nested versus guest page faults */
function fault(
  trace: Trace,
  level: number,
  bits: number,
  use: number,
  steps: number,
  out: NestedResult,
): number {
  trace.add(NESTED_STEP, steps);
  const isTable = use === NESTED_TABLE_READ || use === NESTED_TABLE_WRITE;
  let code = bits | PF_US;
  if (use === NESTED_FETCH) code |= PF_ID;
  else if (use !== NESTED_READ) code |= PF_WR;
  out.level = level;
  out.qualification = code;
  out.qualificationHi = isTable ? NPF_GUEST_TABLE : NPF_FINAL;
  return out.outcome = NESTED_PAGE_FAULT;
}

function noMemory(trace: Trace, level: number, frame: number, steps: number, out: NestedResult): number {
  trace.add(NESTED_STEP, steps);
  out.level = level;
  out.paHi = frame;
  return out.outcome = NESTED_NO_MEMORY;
}
