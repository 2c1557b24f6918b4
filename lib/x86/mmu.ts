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

import { joinHalves, maddrOf, type Mfn, splitVaddr } from "../core/frames.ts";
import { outOfRange, wholeNumber, wrongType } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { EV } from "../trace/events.ts";
import {
  ACCESS_OF,
  ACCESS_WRITE,
  type AccessKind,
  AccessResult,
  OUTCOME_GENERAL_PROTECTION,
  OUTCOME_NO_MEMORY,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
  RIGHT_DIRTY,
  RIGHT_GLOBAL,
  RIGHT_KEY_SHIFT,
  RIGHT_LEVEL_SHIFT,
  RIGHT_NX,
  RIGHT_USER,
  RIGHT_WRITE,
  WHY_NONE,
} from "./access.ts";
import type { Cpu } from "./cpu.ts";
import { type Fault, generalProtection, type NoMemory, pageFault, RULES } from "./fault.ts";
import { OFFSET_MASK } from "./levels.ts";
import { denialErrorCode, denialOf } from "./permission.ts";
import type { PhysMem } from "./phys_mem.ts";
import { walk } from "./walk.ts";

/**
 * Translates one access, through the TLB; answers `out.outcome`. Counts `tlb_lookup`, `tlb_miss` (also when a write
 * has to walk again because the cached D is 0) and `page_fault`; the walk counts its own steps.
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
  cpu.trace.add(EV.tlb_lookup);
  const tlb = cpu.tlb;
  const i = tlb.find(hi, lo, cpu.pcid);
  if (i >= 0) {
    const rights = tlb.rights[i]!;
    const why = denialOf(cpu, access, rights);
    if (why !== WHY_NONE) return cachedDenial(cpu, hi, lo, access, rights, why, out);
    if (access !== ACCESS_WRITE || (rights & RIGHT_DIRTY) !== 0) {
      const level = rights >>> RIGHT_LEVEL_SHIFT & 3;
      const frameLo = (tlb.baseLo[i]! | lo & OFFSET_MASK[level]!) >>> 12;
      const frameHi = tlb.baseHi[i]!;
      out.frame = frameHi === 0 ? frameLo : frameHi * 0x100000 + frameLo;
      out.level = level;
      out.rights = rights;
      out.why = WHY_NONE;
      out.isFromTlb = true;
      return out.outcome = OUTCOME_OK;
    }
    tlb.dropAt(i);
  }
  cpu.trace.add(EV.tlb_miss);
  const outcome = walk(cpu, mem, hi, lo, access, out);
  if (outcome === OUTCOME_OK) {
    if (out.level !== 0) {
      const baseLo = out.entryLo[out.level]! & ~OFFSET_MASK[out.level]!;
      tlb.insert(hi, lo, cpu.pcid, out.rights, baseLo, out.entryHi[out.level]! & 0xfffff);
    }
  } else if (outcome === OUTCOME_PAGE_FAULT) deliver(cpu, hi, lo);
  return outcome;
}

/** A #PF loads CR2 and drops what the TLB holds for the address in the current PCID. @cite sdm 3A 4.10.4.1 */
function deliver(cpu: Cpu, hi: number, lo: number): void {
  cpu.trace.add(EV.page_fault);
  cpu.cr2Hi = hi;
  cpu.cr2Lo = lo;
  cpu.tlb.dropPage(hi, lo, cpu.pcid);
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

/** A translation, for people. */
export interface Translation {
  readonly kind: "ok";
  readonly va: bigint;
  /** The 4 KiB frame accessed. */
  readonly frame: Mfn;
  /** Byte inside that frame. */
  readonly offset: number;
  /** Level of the leaf: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB; 0 with paging off. */
  readonly level: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  readonly global: boolean;
  readonly key: number;
  readonly isFromTlb: boolean;
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
    const [hi, lo] = halves(va);
    const out = this.#out;
    const outcome = translate(this.cpu, this.mem, hi, lo, lookUp("access kind", ACCESS_OF, kind), out);
    return outcome === OUTCOME_OK ? translationOf(hi, lo, out) : faultOf(hi, lo, out);
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

/** Any 64 bits are an address to ask about; what they mean is the walk's business. */
function halves(va: number | bigint): [number, number] {
  if (typeof va === "bigint") {
    if (va < 0n || va >= 1n << 64n) {
      throw outOfRange("access address", va, "it must have at most 64 bits, unsigned");
    }
    return splitVaddr(va);
  }
  if (typeof va !== "number") throw wrongType("access address", va, "it must be a number or a bigint");
  if (!Number.isInteger(va) || va < 0 || va >= 2 ** 64) {
    throw outOfRange("access address", va, "it must be a whole number of at most 64 bits, unsigned");
  }
  if (va > Number.MAX_SAFE_INTEGER) {
    throw outOfRange("access address", va, "a number this large is not exact; write it as a bigint (0x…n)");
  }
  return splitVaddr(va);
}

/** The translation in `out`, for people. */
export function translationOf(hi: number, lo: number, out: AccessResult): Translation {
  const rights = out.rights;
  return {
    kind: "ok",
    va: joinHalves(hi, lo),
    frame: out.frame as Mfn,
    offset: lo & 0xfff,
    level: out.level,
    writable: (rights & RIGHT_WRITE) !== 0,
    user: (rights & RIGHT_USER) !== 0,
    executable: (rights & RIGHT_NX) === 0,
    global: (rights & RIGHT_GLOBAL) !== 0,
    key: rights >>> RIGHT_KEY_SHIFT & 0xf,
    isFromTlb: out.isFromTlb,
  };
}

/** The fault in `out`, for people. */
export function faultOf(hi: number, lo: number, out: AccessResult): Fault {
  if (out.outcome === OUTCOME_GENERAL_PROTECTION) return generalProtection(RULES[out.why]!.rule);
  if (out.outcome === OUTCOME_NO_MEMORY) {
    return { kind: "no-memory", va: joinHalves(hi, lo), frame: out.frame, level: out.level };
  }
  return pageFault(hi, lo, out);
}
