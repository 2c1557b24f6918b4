/**
 * Version-1 grant entries: eight bytes each, 512 to a frame, real bytes in frames that granter and hypervisor share.
 *
 * ```text
 *  byte 0        2         4                 8
 *       ┌────────┬─────────┬─────────────────┐
 *       │ flags  │ domid   │ frame           │    flags: guest, but reading/writing: Xen
 *       └────────┴─────────┴─────────────────┘    domid, frame: guest
 *        ◄── one 32-bit word ──► cmpxchg'd whole by Xen
 * ```
 *
 * Version 2 is not here yet: its entry is 16 bytes and its in-use bits lie elsewhere.
 *
 * @cite xen 4.17 xen/include/public/grant_table.h grant_entry_v1
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

/** The granted frame. */
export function readFrame(mem: PhysMem, entry: Maddr): number {
  return mem.read32((entry + 4) as Maddr) >>> 0;
}

/** Compares and exchanges the first word; answers what was there. */
export function cmpxchgHeader(
  mem: PhysMem,
  trace: Trace,
  entry: Maddr,
  expected: number,
  to: number,
): number {
  trace.add(EV.entry_cmpxchg);
  const found = readHeader(mem, entry);
  if (found === expected) mem.write32(entry, to);
  return found;
}

/** Clears bits of the flags atomically. @cite xen 4.17 xen/arch/x86/include/asm/grant_table.h gnttab_clear_flags */
export function clearFlags(mem: PhysMem, trace: Trace, entry: Maddr, bits: number): void {
  trace.add(EV.entry_cmpxchg);
  mem.write16(entry, mem.read16(entry) & ~bits);
}
