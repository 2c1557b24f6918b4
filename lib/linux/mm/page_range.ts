/**
 * Arguments of system calls as 64-bit words, and walks over the entries of a range.
 *
 * A system call takes any 64 bits. Here an argument is a number or a bigint; inside it becomes a number that is exact
 * where it matters: an address above 2^53 is never a valid user address, so only its page and whether it is page
 * aligned are kept.
 *
 * @module
 */

import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { wrongType } from "../../core/misuse.ts";
import { ptePresent } from "./memory.ts";
import { EV } from "../../trace/events.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { MmSystem } from "./mm_system.ts";
import type { PteSlot } from "./paravirt.ts";
import { lookupSlot, rawFlags, SIZE_OF_LEVEL } from "./pgtable.ts";

/** A 64-bit word of a program: address or length in bytes. Negative values count down from 2^64. */
export type UserWord = number | bigint;

const HALF_PAGE = PAGE_SIZE / 2;

/**
 * The word as a number: exact below 2^53; above, its page is exact and an offset inside the page becomes half a page.
 *
 * @throws {TypeError} if it is neither a bigint nor a whole number
 */
export function userWord(what: string, value: UserWord): number {
  if (typeof value !== "bigint" && (typeof value !== "number" || !Number.isInteger(value))) {
    throw wrongType(`take as ${what}`, value, "it must be a whole number or a bigint");
  }
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return Number(value);
  const bits = BigInt.asUintN(64, BigInt(value));
  const page = Number(bits >> 12n) * PAGE_SIZE;
  const offset = Number(bits & 0xfffn);
  return page + (page <= Number.MAX_SAFE_INTEGER - PAGE_SIZE ? offset : offset === 0 ? 0 : HALF_PAGE);
}

/**
 * A word of bits, PROT_* or MAP_*, as it is; which of them there are is the call's business.
 *
 * @throws {TypeError} if it is not a whole number
 */
export function flagWord(what: string, value: number): number {
  if (!Number.isInteger(value)) {
    throw wrongType(`take as ${what}`, value, "it must be a whole number, bits or-ed together");
  }
  return value;
}

/** Rounded up to whole pages, modulo 2^64: 0 if that overflows. @cite linux 6.1 include/linux/mm.h PAGE_ALIGN */
export function pageAlign(length: number): number {
  return Math.ceil(length / PAGE_SIZE) * PAGE_SIZE % 2 ** 64;
}

/** Sum of two page-aligned words, modulo 2^64. */
export function wrapAdd(start: number, length: number): number {
  return (start + length) % 2 ** 64;
}

/**
 * Calls `visit` for every page table of level 1 that exists in `[start, end)`, with the part of the range it covers
 * and the place of the first entry; what has no table is skipped in steps as large as the tables missing.
 */
export function forEachPteTable(
  mm: MmStruct,
  start: number,
  end: number,
  visit: (start: number, end: number, slot: PteSlot) => void,
): void {
  let address = start;
  while (address < end) {
    const slot = lookupSlot(mm, address);
    const span = slot >= 0 ? PMD_SIZE : missingSpan(mm, address);
    const stop = Math.min(end, address - address % span + span);
    if (slot >= 0) visit(address, stop, slot);
    address = stop;
  }
}

/** Counts that the entries of `[start, end)`, all of one table, are gone through: found from the top, locked, looked at. */
export function countTableScan({ trace }: MmSystem, start: number, end: number): void {
  trace.add(EV.pte_range);
  trace.add(EV.pte_scan, (end - start) / PAGE_SIZE);
}

/** Bytes that the highest missing table of the address covers. */
function missingSpan(mm: MmStruct, address: number): number {
  for (let level = 3; level > 1; level--) {
    if (lookupSlot(mm, address, level) < 0) return SIZE_OF_LEVEL[level + 1]!;
  }
  return PMD_SIZE;
}

/** Calls `visit` for every present entry of `[start, end)`, in order. */
export function forEachPresentPte(
  mm: MmStruct,
  start: number,
  end: number,
  visit: (address: number, slot: PteSlot, flags: number) => void,
): void {
  forEachPteTable(mm, start, end, (from, to, first) => {
    for (let address = from, slot = first; address < to; address += PAGE_SIZE, slot += 2) {
      const flags = rawFlags(mm.system, slot);
      if (ptePresent(flags)) visit(address, slot, flags);
    }
  });
}

/**
 * As {@linkcode forEachPresentPte}, each table in a lazy section of its own: what `visit` stores may wait, so it must
 * not read an entry again that it has stored.
 */
export function forEachPresentPteLazy(
  mm: MmStruct,
  start: number,
  end: number,
  visit: (address: number, slot: PteSlot, flags: number) => void,
): void {
  const { pv } = mm.system;
  forEachPteTable(mm, start, end, (from, to) => {
    pv.enterLazyMmu();
    forEachPresentPte(mm, from, to, visit);
    pv.leaveLazyMmu();
  });
}
