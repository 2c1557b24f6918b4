/**
 * Guest page-table entries as Xen stores them: the one place that writes them, the flags that it adds and the flags
 * that it refuses.
 *
 * A 64-bit paravirtual kernel runs in ring 3 like its programs, so every entry gets the user bit; what tells kernel
 * from user entries is software bit 52. User entries get the global bit: they survive the CR3 switch of a system call.
 *
 * @cite xen 4.17 xen/arch/x86/pv/mm.h adjust_guest_l1e
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_GLOBAL,
  _PAGE_GUEST_KERNEL,
  _PAGE_NX,
  _PAGE_PAT,
  _PAGE_PCD,
  _PAGE_PRESENT,
  _PAGE_PSE,
  _PAGE_PWT,
  _PAGE_USER,
  entryHi,
  entryLo,
} from "../../x86/pte.ts";
import type { Domain } from "../domain.ts";
import { entryFlags, entryIndex } from "../host_map/guest_l1e.ts";
import type { Hypervisor } from "../hypervisor.ts";

/** Cache attributes of a level-1 entry. */
export const PAGE_CACHE_ATTRS: number = _PAGE_PAT | _PAGE_PCD | _PAGE_PWT;

/** Flags refused at levels 2 … 4. @cite xen 4.17 xen/arch/x86/mm.c base_disallow_mask */
export const L2_DISALLOW_MASK: number = _PAGE_PWT | _PAGE_PCD | _PAGE_PSE | _PAGE_GLOBAL;

/** Software bits 9–11 and 52–62. */
const PAGE_AVAIL_ALL = 0x7ff << 12 | 7 << 9;

/** A present entry may change these without being validated again. @cite xen 4.17 xen/arch/x86/mm.c FASTPATH_FLAG_WHITELIST */
export const FASTPATH_FLAG_WHITELIST: number = _PAGE_NX | PAGE_AVAIL_ALL | _PAGE_GLOBAL | _PAGE_DIRTY |
  _PAGE_ACCESSED | _PAGE_USER;

/** Flags refused at level 1. @cite xen 4.17 xen/arch/x86/mm.c l1_disallow_mask */
export function l1DisallowMask(hv: Hypervisor, domain: Domain): number {
  const mask = _PAGE_PWT | _PAGE_PCD | _PAGE_PAT | hv.flavour.build.grantPteTag;
  return domain.mayMapIomem ? mask & ~PAGE_CACHE_ATTRS : mask;
}

/** Level-1 flags as they are stored. */
export function adjustGuestL1e(flags: number): number {
  if ((flags & _PAGE_PRESENT) === 0) return flags;
  if ((flags & _PAGE_USER) === 0) flags |= _PAGE_GUEST_KERNEL | _PAGE_USER;
  if ((flags & _PAGE_GUEST_KERNEL) === 0) flags |= _PAGE_GLOBAL | _PAGE_USER;
  return flags;
}

/** Flags of levels 2 … 4 as they are stored. @cite xen 4.17 xen/arch/x86/pv/mm.h adjust_guest_l2e */
export function adjustGuestTableEntry(flags: number): number {
  return (flags & _PAGE_PRESENT) === 0 ? flags : flags | _PAGE_USER;
}

/** Stores an entry at a machine address. @cite xen 4.17 xen/arch/x86/mm.c UPDATE_ENTRY */
export function writeEntry(hv: Hypervisor, pte: number, frame: number, flags: number): void {
  hv.trace.one(EV.xen_pte_write);
  let at = entryIndex(hv, pte);
  if (at < 0) {
    if (frame === 0 && flags === 0) return;
    hv.mem.makeSlot(Math.floor(pte / PAGE_SIZE));
    at = entryIndex(hv, pte);
  }
  hv.mem.words[at] = entryLo(frame, flags);
  hv.mem.words[at + 1] = entryHi(frame, flags);
}

/** {@linkcode writeEntry} where the place in the memory's words is known. */
export function writeEntryAt(hv: Hypervisor, at: number, frame: number, flags: number): void {
  hv.trace.one(EV.xen_pte_write);
  const { words } = hv.mem;
  words[at] = entryLo(frame, flags);
  words[at + 1] = entryHi(frame, flags);
}

/** Stores an entry and keeps the accessed and dirty bits that are there, if asked. */
export function updateEntry(
  hv: Hypervisor,
  pte: number,
  entry: { frame: number; flags: number; preserveAd: boolean },
): void {
  const keep = entry.preserveAd ? entryFlags(hv, pte) & (_PAGE_ACCESSED | _PAGE_DIRTY) : 0;
  writeEntry(hv, pte, entry.frame, entry.flags | keep);
}
