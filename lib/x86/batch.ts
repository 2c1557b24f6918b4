/**
 * Translating whole typed arrays: the same accesses, outcomes and counts as `translate` called one by one, with the
 * state of the processor read once. The common case, a 4 KiB page in the first-level TLB, is done in the loop; all
 * else goes through `translate`.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { EV } from "../trace/events.ts";
import {
  ACCESS_FETCH,
  ACCESS_WRITE,
  AccessResult,
  OUTCOME_OK,
  OUTCOME_PAGE_FAULT,
  RIGHT_DIRTY,
  RIGHT_NX,
  RIGHT_USER,
  RIGHT_WRITE,
} from "./access.ts";
import type { Cpu } from "./cpu.ts";
import { translate } from "./mmu.ts";
import { isUserMode, type PermissionState } from "./permission.ts";
import type { PhysMem } from "./phys_mem.ts";
import { CR0_WP, CR4_PKE, CR4_PKS, CR4_SMAP, CR4_SMEP } from "./registers.ts";
import { TLB_ASID, TLB_BASE_HI, TLB_BASE_LO, TLB_GLOBAL, TLB_RIGHTS, TLB_STRIDE, TLB_TAG_HI } from "./tlb.ts";

const TLB_LOOKUP = EV.tlb_lookup;

/** Where in `BatchResult.outcome` the #PF error code lies. */
export const BATCH_ERROR_SHIFT = 8;

/** The outcomes of a batch, by access. */
export interface BatchResult {
  /** Physical address, high halves; undefined where the outcome is not ok. */
  readonly paHi: Int32Array;
  /** Low halves. */
  readonly paLo: Int32Array;
  /** `OUTCOME_*`; of a page fault the error code too, shifted by `BATCH_ERROR_SHIFT`. */
  readonly outcome: Int32Array;
}

/** Room for the outcomes of `length` accesses. */
export function batchResult(length: number): BatchResult {
  return {
    paHi: new Int32Array(length),
    paLo: new Int32Array(length),
    outcome: new Int32Array(length),
  };
}

/**
 * Translates accesses of one kind at many addresses; answers how many went through.
 *
 * @param hi high halves of the linear addresses
 * @param lo low halves
 * @param access `ACCESS_*`, without `ACCESS_PEEK`
 * @throws {RangeError} if the arrays differ in length
 *
 * @example
 * ```ts
 * import { mfn } from "grantlab/core";
 * import { ACCESS_READ, batchResult, Cpu, PageTable, PhysMem, translateBatch } from "grantlab/x86";
 * let free = 1;
 * const tables = new PageTable(new PhysMem(64), { allocate: () => mfn(free++) });
 * tables.map(0x4000, mfn(0x20));
 * const cpu = new Cpu({ registers: { root: tables.root } });
 * const result = batchResult(2);
 * const lo = Int32Array.of(0x4005, 0x5000);
 * if (translateBatch(cpu, tables.mem, new Int32Array(2), lo, ACCESS_READ, result) !== 1) throw new Error();
 * if (result.paLo[0] !== 0x20005 || result.outcome[1] !== 1) throw new Error();
 * ```
 */
export function translateBatch(
  cpu: Cpu,
  mem: PhysMem,
  hi: Int32Array,
  lo: Int32Array,
  access: number,
  result: BatchResult,
): number {
  const n = hi.length;
  const { paHi, paLo, outcome } = result;
  if (lo.length !== n || paHi.length !== n || paLo.length !== n || outcome.length !== n) {
    throw outOfRange("translate a batch with arrays of", n, "all arrays must have the same length");
  }
  const bank = (access === ACCESS_FETCH ? cpu.tlb.instruction : cpu.tlb.data).small;
  const hasFastPath = bank !== null && cpu.cr0 < 0 && !hasKeys(cpu, access);
  const care = caredFor(cpu, access);
  const need = needed(cpu, access);
  const pcid = cpu.pcid;
  let words = bank === null ? hi : bank.words; // `hi` stands in where nothing is looked up
  let setMask = bank === null ? 0 : bank.setMask;
  let size = bank === null ? 0 : bank.ways * TLB_STRIDE;
  outcome.fill(OUTCOME_OK);
  let failed = 0;
  let counted = 0; // accesses before this one are in the counter
  for (let k = 0; k < n; k++) {
    const h = hi[k]!;
    const l = lo[k]!;
    if (hasFastPath) {
      const tagLo = h << 20 | l >>> 12;
      const tagHi = 1 << 20 | h >>> 12;
      let at = (tagLo & setMask) * size;
      const end = at + size;
      for (; at < end; at += TLB_STRIDE) {
        if (words[at]! !== tagLo || words[at + TLB_TAG_HI]! !== tagHi) continue;
        const asid = words[at + TLB_ASID]!;
        if (asid === pcid || asid === TLB_GLOBAL) break;
      }
      if (at < end && (words[at + TLB_RIGHTS]! & care) === need) {
        paLo[k] = words[at + TLB_BASE_LO]! | l & 0xfff;
        paHi[k] = words[at + TLB_BASE_HI]!;
        continue;
      }
    }
    if (k > counted) cpu.trace.add(TLB_LOOKUP, k - counted);
    counted = k + 1;
    failed += translateInto(cpu, mem, h, l, access, result, k);
    if (bank !== null) {
      words = bank.words; // it may have grown
      setMask = bank.setMask;
      size = bank.ways * TLB_STRIDE;
    }
  }
  if (n > counted) cpu.trace.add(TLB_LOOKUP, n - counted);
  return n - failed;
}

const SCRATCH = Symbol("scratch");

/** One access, the long way; answers 0 if it went through. */
function translateInto(
  cpu: Cpu,
  mem: PhysMem,
  hi: number,
  lo: number,
  access: number,
  result: BatchResult & { [SCRATCH]?: AccessResult },
  k: number,
): number {
  const out = result[SCRATCH] ??= new AccessResult();
  const outcome = translate(cpu, mem, hi, lo, access, out);
  if (outcome !== OUTCOME_OK) {
    result.outcome[k] = outcome === OUTCOME_PAGE_FAULT
      ? outcome | out.errorCode << BATCH_ERROR_SHIFT
      : outcome;
    return 1;
  }
  result.paHi[k] = Math.floor(out.frame / 0x100000);
  result.paLo[k] = out.frame % 0x100000 << 12 | lo & 0xfff;
  return 0;
}

/** True if a protection key might deny the access: then every hit is judged on its own. */
function hasKeys(cpu: Cpu, access: number): boolean {
  return access !== ACCESS_FETCH && (cpu.cr4 & (CR4_PKE | CR4_PKS)) !== 0;
}

/** Rights that decide about the access now. With {@linkcode needed}: allowed where `(rights & care) === need`. */
function caredFor(state: PermissionState, access: number): number {
  const isUser = isUserMode(state, access);
  let care = 0;
  if (isUser) care |= RIGHT_USER;
  else if (access === ACCESS_FETCH) care |= (state.cr4 & CR4_SMEP) !== 0 ? RIGHT_USER : 0;
  else if ((state.cr4 & CR4_SMAP) !== 0) care |= RIGHT_USER; // with AC = 1 too: `translate` decides then
  if (access === ACCESS_FETCH) care |= RIGHT_NX;
  if (access === ACCESS_WRITE) {
    care |= RIGHT_DIRTY;
    if (isUser || (state.cr0 & CR0_WP) !== 0) care |= RIGHT_WRITE;
  }
  return care;
}

/** The value those rights must have. */
function needed(state: PermissionState, access: number): number {
  const care = caredFor(state, access);
  return care & (RIGHT_WRITE | RIGHT_DIRTY) | (isUserMode(state, access) ? care & RIGHT_USER : 0);
}
