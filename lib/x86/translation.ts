/**
 * What an access came to, for people: a translation or a fault as a value of its own.
 *
 * @module
 */

import { joinHalves, type Mfn, splitVaddr } from "../core/frames.ts";
import { outOfRange, wrongType } from "../core/misuse.ts";
import {
  type AccessResult,
  OUTCOME_GENERAL_PROTECTION,
  OUTCOME_NO_MEMORY,
  RIGHT_GLOBAL,
  RIGHT_KEY_SHIFT,
  RIGHT_NX,
  RIGHT_USER,
  RIGHT_WRITE,
} from "./access.ts";
import type { Cpu } from "./cpu.ts";
import { type Fault, generalProtection, pageFault, RULES } from "./fault.ts";
import { type MemoryType, patIndexOf } from "./memory_type.ts";

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
  /** What PWT, PCD and PAT of the leaf make of the memory, by IA32_PAT; the MTRRs are left out. */
  readonly memoryType: MemoryType;
  readonly isFromTlb: boolean;
}

/** The translation in `out`, for people. */
export function translationOf(cpu: Cpu, hi: number, lo: number, out: AccessResult): Translation {
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
    memoryType: cpu.memoryTypes[patIndexOf(rights)]!,
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

/**
 * The halves of an address that a person typed. Any 64 bits are an address to ask about; what they mean is the walk's
 * business.
 *
 * @throws {RangeError} if it has more than 64 bits or is not exact
 */
export function addressHalves(va: number | bigint): [number, number] {
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
  if (va > Number.MAX_SAFE_INTEGER && va % 4096 !== 0) {
    throw outOfRange("access address", va, "a number this large is not exact; write it as a bigint (0x…n)");
  }
  return splitVaddr(va);
}
