/**
 * Translation as a processor does it: the TLB first, then the walk. {@linkcode translate} is the hot path;
 * {@linkcode Mmu} is the edge where people hand in addresses and get values back.
 *
 * What the TLB may keep: only translations of accesses that went through. An entry that is not present or has a
 * reserved bit is never cached; a #PF drops what was cached for its address; a write that finds a translation cached
 * with D = 0 walks again, so that D is set in memory before the write.
 *
 * @cite sdm 3A 4.10.2.3 details of TLB use
 * @module
 */

import { maddrOf } from "../core/frames.ts";
import { wholeNumber } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { EV } from "../trace/events.ts";
import {
  ACCESS_FETCH,
  ACCESS_OF,
  ACCESS_WRITE,
  type AccessKind,
  AccessResult,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
  RIGHT_DIRTY,
  RIGHT_LEVEL_SHIFT,
  WHY_NONE,
} from "./access.ts";
import type { Cpu } from "./cpu.ts";
import type { Fault, NoMemory } from "./fault.ts";
import { OFFSET_MASK } from "./levels.ts";
import { denialErrorCode, denialOf } from "./permission.ts";
import type { PhysMem } from "./phys_mem.ts";
import { TLB_BASE_HI, TLB_BASE_LO, TLB_RIGHTS } from "./tlb.ts";
import { addressHalves, faultOf, type Translation, translationOf } from "./translation.ts";
import type { TlbLevel } from "./translation_caches.ts";
import { walk } from "./walk.ts";

const TLB_LOOKUP = EV.tlb_lookup;
const TLB_MISS = EV.tlb_miss;
const STLB_HIT = EV.stlb_hit;
const OFFSET: Int32Array = Int32Array.from(OFFSET_MASK);

/**
 * Translates one access, through the TLB; answers `out.outcome`. Counts `tlb_lookup`, `stlb_hit`, `tlb_miss`
 * (also when a write has to walk again because the cached D is 0) and `page_fault`; the walk counts its own steps.
 *
 * @param hi high half of the linear address, signed 32 bits
 * @param lo low half
 * @param access `ACCESS_*`, without `ACCESS_PEEK`
 */
export function translate(
  cpu: Cpu,
  mem: PhysMem,
  hi: number,
  lo: number,
  access: number,
  out: AccessResult,
): number {
  cpu.trace.add(TLB_LOOKUP);
  const first = access === ACCESS_FETCH ? cpu.tlb.instruction : cpu.tlb.data;
  let at = first.findSmall(hi, lo, cpu.pcid);
  if (at < 0) at = findElsewhere(cpu, first, hi, lo);
  if (at >= 0) {
    const words = first.hit.words;
    const rights = words[at + TLB_RIGHTS]!;
    const why = denialOf(cpu, access, rights);
    if (why !== WHY_NONE) return cachedDenial(cpu, hi, lo, access, rights, why, out);
    if (access !== ACCESS_WRITE || (rights & RIGHT_DIRTY) !== 0) {
      const level = rights >>> RIGHT_LEVEL_SHIFT & 3;
      const frameLo = (words[at + TLB_BASE_LO]! | lo & OFFSET[level]!) >>> 12;
      const frameHi = words[at + TLB_BASE_HI]!;
      out.frame = frameHi === 0 ? frameLo : frameHi * 0x100000 + frameLo;
      out.level = level;
      out.rights = rights;
      out.why = WHY_NONE;
      out.isFromTlb = true;
      return out.outcome = OUTCOME_OK;
    }
    dropForDirty(first, hi, lo, cpu.pcid);
  }
  return walkAndCache(cpu, mem, hi, lo, access, out);
}

/** Walks, and caches what an access that goes through may cache. */
function walkAndCache(
  cpu: Cpu,
  mem: PhysMem,
  hi: number,
  lo: number,
  access: number,
  out: AccessResult,
): number {
  cpu.trace.add(TLB_MISS);
  const outcome = walk(cpu, mem, hi, lo, access, out);
  if (outcome === OUTCOME_OK) {
    const level = out.level;
    if (level !== 0) {
      const baseLo = out.entryLo[level]! & ~OFFSET[level]!;
      const baseHi = out.entryHi[level]! & 0xfffff;
      const first = access === ACCESS_FETCH ? cpu.tlb.instruction : cpu.tlb.data;
      first.insertNew(hi, lo, cpu.pcid, out.rights, baseLo, baseHi);
      if (first.next !== null) first.next.insertNew(hi, lo, cpu.pcid, out.rights, baseLo, baseHi);
    }
  } else if (outcome === OUTCOME_PAGE_FAULT) deliver(cpu, hi, lo);
  return outcome;
}

/**
 * Looks for a large page in the first level, then in the second, and copies what is there to the first. Answers where
 * the entry lies in `first.hit`, or -1.
 */
function findElsewhere(cpu: Cpu, first: TlbLevel, hi: number, lo: number): number {
  const large = first.findLarge(hi, lo, cpu.pcid);
  const second = first.next;
  if (large >= 0 || second === null) return large;
  const at = second.find(hi, lo, cpu.pcid);
  if (at < 0) return -1;
  cpu.trace.add(STLB_HIT);
  const words = second.hit.words;
  const copy = first.insertNew(
    hi,
    lo,
    cpu.pcid,
    words[at + TLB_RIGHTS]!,
    words[at + TLB_BASE_LO]!,
    words[at + TLB_BASE_HI]!,
  );
  if (copy < 0) first.hit = second.hit; // the first level has no bank for this page size
  return copy < 0 ? at : copy;
}

/** What was cached with D = 0 makes room for what the walk of a write will find. */
function dropForDirty(first: TlbLevel, hi: number, lo: number, pcid: number): void {
  for (let level: TlbLevel | null = first; level !== null; level = level.next) {
    for (const { tlb } of level.banks) tlb.dropPage(hi, lo, pcid);
  }
}

/** A #PF loads CR2 and drops what the TLB holds for the address in the current PCID. @cite sdm 3A 4.10.4.1 */
function deliver(cpu: Cpu, hi: number, lo: number): void {
  cpu.trace.add(EV.page_fault);
  cpu.cr2Hi = hi;
  cpu.cr2Lo = lo;
  cpu.tlb.dropFaulting(hi, lo, cpu.pcid);
}

/** The cached rights deny the access: a #PF without a walk, spurious if the tables have been changed meanwhile. */
function cachedDenial(
  cpu: Cpu,
  hi: number,
  lo: number,
  access: number,
  rights: number,
  why: number,
  out: AccessResult,
): number {
  out.level = rights >>> RIGHT_LEVEL_SHIFT & 3;
  out.rights = rights;
  out.why = why;
  out.isFromTlb = true;
  out.errorCode = denialErrorCode(cpu, access, rights);
  deliver(cpu, hi, lo);
  return out.outcome = OUTCOME_PAGE_FAULT;
}

/**
 * A processor looking at a memory.
 *
 * @example
 * ```ts
 * import { maddrOf, mfn } from "grantlab/core";
 * import { Cpu, Mmu, PageTable, PhysMem } from "grantlab/x86";
 * const mem = new PhysMem(64);
 * let free = 1;
 * const tables = new PageTable(mem, { allocate: () => mfn(free++) });
 * tables.map(0x4000, mfn(0x20));
 * const mmu = new Mmu(new Cpu({ registers: { root: tables.root, cpl: 3 } }), mem);
 * mmu.write8(0x4005, 0xab);
 * if (mmu.read8(0x4005) !== 0xab || mem.read8(maddrOf(mfn(0x20), 5)) !== 0xab) throw new Error();
 * ```
 */
export class Mmu {
  readonly #out = new AccessResult();

  constructor(readonly cpu: Cpu, readonly mem: PhysMem) {}

  /**
   * Translates an access as the processor's current state would make it.
   *
   * @param va linear address; non-canonical ones get their #GP
   * @throws {RangeError} if `va` has more than 64 bits or is not exact, or the kind is unknown
   */
  access(va: number | bigint, kind: AccessKind): Translation | Fault {
    const [hi, lo] = addressHalves(va);
    const out = this.#out;
    const outcome = translate(this.cpu, this.mem, hi, lo, lookUp("access kind", ACCESS_OF, kind), out);
    return outcome === OUTCOME_OK ? translationOf(this.cpu, hi, lo, out) : faultOf(hi, lo, out);
  }

  /** INVLPG of the page at an address. @throws {RangeError} if `va` has more than 64 bits or is not exact */
  invlpg(va: number | bigint): void {
    this.cpu.invlpg(...addressHalves(va));
  }

  /** Reads an unsigned byte through the tables. */
  read8(va: number | bigint): number | Fault {
    const t = this.access(va, "read");
    if (t.kind !== "ok") return t;
    return this.mem.isBacked(t.frame) ? this.mem.read8(maddrOf(t.frame, t.offset)) : noPage(t);
  }

  /**
   * Writes a byte through the tables.
   *
   * @throws {RangeError} if `value` is not 0 … 255
   */
  write8(va: number | bigint, value: number): Translation | Fault {
    wholeNumber("write the byte", value, 0, 255);
    const t = this.access(va, "write");
    if (t.kind !== "ok") return t;
    if (!this.mem.isBacked(t.frame)) return noPage(t);
    this.mem.write8(maddrOf(t.frame, t.offset), value);
    return t;
  }
}

function noPage(t: Translation): NoMemory {
  return { kind: "no-memory", va: t.va, frame: t.frame, level: 0 };
}
