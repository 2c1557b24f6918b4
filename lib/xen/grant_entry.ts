/**
 * Grant entries: real bytes in frames that granter and hypervisor share. Both versions begin with the same 32-bit word,
 * which Xen compares and exchanges whole.
 *
 * ```text
 *  v1   0        2         4                 8
 *       ┌────────┬─────────┬─────────────────┐
 *       │ flags  │ domid   │ frame           │    in-use bits: in flags, written by Xen; the rest by the guest
 *       └────────┴─────────┴─────────────────┘
 *  v2   0        2         4        6        8                 12                16
 *       ┌────────┬─────────┬────────┬────────┬─────────────────┬─────────────────┐
 *       │ flags  │ domid   │                 │ frame                             │   full page
 *       │ flags  │ domid   │ offset │ length │ frame                             │   sub-page
 *       │ flags  │ domid   │ trans  │        │ gref            │                 │   transitive
 *       └────────┴─────────┴────────┴────────┴─────────────────┴─────────────────┘
 *       in-use bits: in a status word of 16 bits per reference, in frames of their own, written by Xen only
 * ```
 *
 * @cite xen 4.17 xen/include/public/grant_table.h grant_entry_v1
 * @cite xen 4.17 xen/include/public/grant_table.h grant_entry_v2
 * @module
 */

import type { Maddr } from "../core/frames.ts";
import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import type { PhysMem } from "../x86/phys_mem.ts";

/** Bytes of a version-1 entry. */
export const ENTRY_V1_SIZE = 8;
/** Version-1 entries in a frame. */
export const ENTRIES_V1_PER_FRAME = 512;
/** Bytes of a version-2 entry. */
export const ENTRY_V2_SIZE = 16;
/** Version-2 entries in a frame. */
export const ENTRIES_V2_PER_FRAME = 256;
/** Status words in a status frame. */
export const STATUS_WORDS_PER_FRAME = 2048;

/** First word of the entry: flags in the low half, domid in the high half; unsigned. */
export function readHeader(mem: PhysMem, entry: Maddr): number {
  return mem.read32(entry) >>> 0;
}

/** Flags of a first word. */
export function flagsOfHeader(header: number): number {
  return header & 0xffff;
}

/** Domid of a first word. */
export function domidOfHeader(header: number): number {
  return header >>> 16;
}

/** The granted frame of a version-1 entry. */
export function readFrame(mem: PhysMem, entry: Maddr): number {
  return mem.read32((entry + 4) as Maddr) >>> 0;
}

/** The granted frame of a version-2 entry, full or sub-page: 64 bits, exact up to 53. */
export function readFrameV2(mem: PhysMem, entry: Maddr): number {
  return (mem.read32((entry + 12) as Maddr) >>> 0) * 2 ** 32 + (mem.read32((entry + 8) as Maddr) >>> 0);
}

/** First byte of a sub-page entry. */
export function readPageOffset(mem: PhysMem, entry: Maddr): number {
  return mem.read16((entry + 4) as Maddr);
}

/** Bytes of a sub-page entry. */
export function readLength(mem: PhysMem, entry: Maddr): number {
  return mem.read16((entry + 6) as Maddr);
}

/** Domain whose grant a transitive entry passes on. */
export function readTransDomid(mem: PhysMem, entry: Maddr): number {
  return mem.read16((entry + 4) as Maddr);
}

/** Reference that a transitive entry passes on. */
export function readTransGref(mem: PhysMem, entry: Maddr): number {
  return mem.read32((entry + 8) as Maddr) >>> 0;
}

/**
 * Compares and exchanges the first word; answers what was there, unsigned.
 *
 * @param at index of the word in the memory's words
 */
export function cmpxchgHeader(
  mem: PhysMem,
  trace: Trace,
  at: number,
  expected: number,
  to: number,
): number {
  trace.one(EV.entry_cmpxchg);
  const found = mem.words[at]! >>> 0;
  if (found === expected) mem.words[at] = to;
  return found;
}

/** Clears bits of a word that guests see. @cite xen 4.17 xen/arch/x86/include/asm/grant_table.h gnttab_clear_flags */
export function clearFlags(mem: PhysMem, trace: Trace, at: number, bits: number): void {
  trace.one(EV.entry_cmpxchg);
  mem.words[at] = mem.words[at]! & ~bits;
}

/** Sets bits of a word that only Xen writes. */
export function setFlags(mem: PhysMem, trace: Trace, at: number, bits: number): void {
  trace.one(EV.entry_cmpxchg);
  mem.words[at] = mem.words[at]! | bits;
}
