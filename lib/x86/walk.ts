/**
 * The page walk of 4-level and 5-level paging: one loop over the levels, the manual's steps beside the lines that do
 * them. `mmu.ts` puts the TLBs in front and may be skipped on a first reading. A paging-structure cache, where the
 * processor has one, gives the loop another place to start from: table, level and the rights so far. A peek consults
 * and fills no cache.
 *
 * Accessed bits of table entries are set on the way down, so a walk that ends in a fault leaves them set in the
 * entries it passed (the manual permits both); the leaf gets A and D only from an access that goes through.
 *
 * @cite sdm 3A 4.5 4-level paging and 5-level paging
 * @module
 */

import type { PhysMem } from "./phys_mem.ts";
import {
  ACCESS_PEEK,
  ACCESS_WRITE,
  type AccessResult,
  OUTCOME_GENERAL_PROTECTION,
  OUTCOME_NO_MEMORY,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
  RIGHT_CACHE_MASK,
  RIGHT_DIRTY,
  RIGHT_GLOBAL,
  RIGHT_KEY_SHIFT,
  RIGHT_LEVEL_SHIFT,
  RIGHT_NX,
  RIGHT_PAT,
  RIGHT_USER,
  RIGHT_WRITE,
  WHY_NO_MEMORY,
  WHY_NONE,
  WHY_NOT_CANONICAL,
  WHY_NOT_PRESENT,
  WHY_RESERVED,
} from "./access.ts";
import type { Cpu } from "./cpu.ts";
import { doubleIndexAt, MAX_LEAF_LEVEL, OFFSET_MASK, RESERVED_IN_TABLE_ENTRY } from "./levels.ts";
import { accessErrorBits, denialErrorCode, denialOf } from "./permission.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_PRESENT, _PAGE_PSE } from "./pte.ts";
import { CR4_LA57, CR4_PGE, PF_P, PF_RSVD } from "./registers.ts";
import { EV } from "../trace/events.ts";
import { type Tlb, TLB_BASE_HI, TLB_BASE_LO, TLB_RIGHTS } from "./tlb.ts";

const WALK_STEP = EV.walk_step;
const AD_UPDATE = EV.ad_update;
/** Frames up to here have memory behind them at most. */
const MAX_INT = 2 ** 31 - 1;
const MAX_INT_HI = 2 ** 11 - 1;
const RESERVED_IN_TABLE: Int32Array = Int32Array.from(RESERVED_IN_TABLE_ENTRY);
const OFFSET: Int32Array = Int32Array.from(OFFSET_MASK);
const RIGHT_WRITE_USER = RIGHT_WRITE | RIGHT_USER;
const CACHE_DIRTY_GLOBAL = RIGHT_CACHE_MASK | RIGHT_DIRTY | RIGHT_GLOBAL;

/**
 * Walks the tables for one access and writes the outcome to `out`; answers `out.outcome`.
 *
 * @param hi high half of the linear address, signed 32 bits
 * @param lo low half
 * @param access `ACCESS_*`, with `ACCESS_PEEK` added to leave accessed and dirty bits alone
 *
 * @example
 * ```ts
 * import { ACCESS_READ, AccessResult, Cpu, OUTCOME_PAGE_FAULT, PhysMem, walk } from "grantlab/x86";
 * const out = new AccessResult();
 * if (walk(new Cpu(), new PhysMem(16), 0, 0x1000, ACCESS_READ, out) !== OUTCOME_PAGE_FAULT) throw new Error();
 * if (out.errorCode !== 0 || out.level !== 4) throw new Error();
 * ```
 */
export function walk(
  cpu: Cpu,
  mem: PhysMem,
  hi: number,
  lo: number,
  access: number,
  out: AccessResult,
): number {
  const isPeek = access >= ACCESS_PEEK;
  const kind = access & 3;
  out.isFromTlb = false;
  out.why = WHY_NONE;
  // SDM 3A 4.1.1: with CR0.PG = 0 linear addresses are physical addresses.
  if (cpu.cr0 >= 0) return identity(hi, lo, out);

  let level = (cpu.cr4 & CR4_LA57) !== 0 ? 5 : 4;
  out.topLevel = level;
  // SDM 3A 3.3.7.1: bits 63:47 (63:56 with LA57) must be equal, else #GP before any table is read.
  const top = level === 5 ? hi >> 24 : hi >> 15;
  if (top !== 0 && top !== -1) return notCanonical(out);

  const words = mem.words;
  const reservedHi = cpu.reservedHi;
  const outLo = out.entryLo;
  const outHi = out.entryHi;
  if (cpu.rootFrame > MAX_INT) return noMemory(cpu, cpu.rootFrame, level, 0, 0, out);
  let table = cpu.rootFrame | 0;
  let both = RIGHT_WRITE | RIGHT_USER; // R/W and U/S: the AND over all entries
  let either = 0; // NX: the OR over all entries
  let steps = 0;
  let updates = 0;
  let at = 0;
  let entryLo = 0;
  let entryHi = 0;

  const structures = isPeek ? null : cpu.tlb.structures;
  if (structures !== null) {
    const found = deepestCached(structures, level, hi, lo, cpu.pcid);
    if (found !== 0) {
      level = (found & 7) - 1;
      const start = found >>> 3;
      const cached = structures[found & 7]!.words;
      const soFar = cached[start + TLB_RIGHTS]!;
      both = soFar & RIGHT_WRITE_USER;
      if ((soFar & RIGHT_NX) !== 0) either = 1 << 31;
      table = cached[start + TLB_BASE_HI]! << 20 | cached[start + TLB_BASE_LO]! >>> 12;
    }
  }

  for (;; level--) {
    // The entry: table base from CR3 or the entry above, 9 bits of the linear address select one of 512.
    const slot = mem.slotOf(table);
    if (slot >= 0) {
      at = slot << 10 | doubleIndexAt(level, hi, lo);
      entryLo = words[at]!;
      entryHi = words[at + 1]!;
    } else {
      if (!mem.isBacked(table)) return noMemory(cpu, table, level, steps, updates, out);
      entryLo = 0;
      entryHi = 0;
    }
    steps++;
    outLo[level] = entryLo;
    outHi[level] = entryHi;

    // SDM 3A 4.5: P = 0 ends the walk; no other bit of the entry is looked at.
    if ((entryLo & _PAGE_PRESENT) === 0) {
      return faultAt(cpu, kind, level, WHY_NOT_PRESENT, 0, steps, updates, out);
    }
    // SDM 3A 4.5: the entry maps a page at level 1, and where PS = 1 at levels 2 and 3.
    const isLeaf = level === 1 || level <= MAX_LEAF_LEVEL && (entryLo & _PAGE_PSE) !== 0;
    // SDM 3A 4.5: reserved bits, among them PS at levels 4 and 5 and NX while EFER.NXE = 0.
    const reservedLo = isLeaf ? cpu.reservedInLeaf[level]! : RESERVED_IN_TABLE[level]!;
    if (((entryLo & reservedLo) | (entryHi & reservedHi)) !== 0) {
      return faultAt(cpu, kind, level, WHY_RESERVED, PF_P | PF_RSVD, steps, updates, out);
    }
    // SDM 3A 4.6.1: rights combine over the levels.
    both &= entryLo;
    either |= entryHi;
    if (isLeaf) break;

    // SDM 3A 4.8: A is set in every entry used, before the translation is.
    if ((entryLo & _PAGE_ACCESSED) === 0 && !isPeek) {
      words[at] = entryLo | _PAGE_ACCESSED;
      updates++;
    }
    const tableHi = entryHi & 0xfffff;
    // No machine has that many frames; below, frames stay 32-bit integers.
    if (tableHi > MAX_INT_HI) {
      return noMemory(cpu, tableHi * 0x100000 + (entryLo >>> 12), level - 1, steps, updates, out);
    }
    table = tableHi << 20 | entryLo >>> 12;
    if (structures !== null) {
      const cache = structures[level]!;
      if (cache !== null) {
        const soFar = both & RIGHT_WRITE_USER | (either < 0 ? RIGHT_NX : 0);
        cache.insertAt(level, hi, lo, cpu.pcid, soFar, entryLo & ~0xfff, tableHi);
      }
    }
  }

  // The page: physical base from the leaf, the rest from the linear address.
  const offsetMask = OFFSET[level]!;
  const frameLo = (entryLo & ~offsetMask | lo & offsetMask) >>> 12;
  const frameHi = entryHi & 0xfffff;
  out.frame = frameHi === 0 ? frameLo : frameHi * 0x100000 + frameLo;
  out.level = level;
  let rights = rightsOf(cpu, level, both, either, entryLo, entryHi);

  // SDM 3A 4.6: is the access permitted? A fault leaves A and D of the leaf as they are.
  const why = denialOf(cpu, kind, rights);
  if (why !== WHY_NONE) {
    out.rights = rights;
    return faultAt(cpu, kind, level, why, denialErrorCode(cpu, kind, rights), steps, updates, out);
  }
  // SDM 3A 4.8: A in the leaf of every access, D in the leaf of a write; one update of the entry sets both.
  const wanted = kind === ACCESS_WRITE ? _PAGE_ACCESSED | _PAGE_DIRTY : _PAGE_ACCESSED;
  if ((entryLo & wanted) !== wanted && !isPeek) {
    words[at] = entryLo | wanted;
    updates++;
  }
  if (kind === ACCESS_WRITE) rights |= RIGHT_DIRTY;
  out.rights = rights;
  count(cpu, steps, updates);
  return out.outcome = OUTCOME_OK;
}

/**
 * The lowest level whose paging-structure cache knows the address, and above its three bits where the entry lies; or
 * 0. The manual's order: PDE, PDPTE, PML4E.
 *
 * @cite sdm 3A 4.10.3.2 using the paging-structure caches
 */
function deepestCached(
  structures: readonly (Tlb | null)[],
  top: number,
  hi: number,
  lo: number,
  pcid: number,
): number {
  for (let level = 2; level <= top; level++) {
    const cache = structures[level]!;
    if (cache === null) continue;
    const at = cache.findAt(level, hi, lo, pcid);
    if (at >= 0) return at << 3 | level;
  }
  return 0;
}

/**
 * Effective rights of a translation: what all levels agree on, and what the leaf says.
 *
 * @param both AND of the low words of all entries
 * @param either OR of the high words
 */
export function rightsOf(
  cpu: Cpu,
  level: number,
  both: number,
  either: number,
  leafLo: number,
  leafHi: number,
): number {
  let rights = both & RIGHT_WRITE_USER | leafLo & CACHE_DIRTY_GLOBAL | level << RIGHT_LEVEL_SHIFT |
    (leafHi >>> 27 & 0xf) << RIGHT_KEY_SHIFT;
  if (either < 0) rights |= RIGHT_NX;
  if ((level === 1 ? leafLo & 0x80 : leafLo & 0x1000) !== 0) rights |= RIGHT_PAT;
  if ((cpu.cr4 & CR4_PGE) === 0) rights &= ~RIGHT_GLOBAL;
  return rights;
}

function count(cpu: Cpu, steps: number, updates: number): void {
  cpu.trace.add(WALK_STEP, steps);
  if (updates !== 0) cpu.trace.add(AD_UPDATE, updates);
}

// The cold ends of a walk, of the nested one too. Their arguments are the walk's locals; a record would have to be
// allocated.

/** Ends the walk in a #PF: counts it up, writes the outcome. */
export function faultAt(
  cpu: Cpu,
  kind: number,
  level: number,
  why: number,
  errorBits: number,
  steps: number,
  updates: number,
  out: AccessResult,
): number {
  count(cpu, steps, updates);
  out.level = level;
  out.why = why;
  out.errorCode = errorBits | accessErrorBits(cpu, kind);
  return out.outcome = OUTCOME_PAGE_FAULT;
}

function noMemory(
  cpu: Cpu,
  frame: number,
  level: number,
  steps: number,
  updates: number,
  out: AccessResult,
): number {
  count(cpu, steps, updates);
  out.level = level;
  out.frame = frame;
  out.why = WHY_NO_MEMORY;
  return out.outcome = OUTCOME_NO_MEMORY;
}

/** Ends the walk before it began: #GP. */
export function notCanonical(out: AccessResult): number {
  out.level = 0;
  out.why = WHY_NOT_CANONICAL;
  return out.outcome = OUTCOME_GENERAL_PROTECTION;
}

function identity(hi: number, lo: number, out: AccessResult): number {
  out.level = 0;
  out.topLevel = 0;
  out.rights = RIGHT_WRITE | RIGHT_USER | RIGHT_DIRTY;
  out.frame = (hi & 0xfffff) * 0x100000 + (lo >>> 12);
  return out.outcome = OUTCOME_OK;
}
