/**
 * The level-1 entry that maps a linear address in the tables a paravirtual domain runs on. Xen reads it through the
 * guest's own tables, so an address whose upper levels are missing has none. Not a page walk of the processor: no
 * accessed bits, no TLB, nothing counted.
 *
 * @cite xen 4.17 xen/arch/x86/pv/mm.c map_guest_l1e
 * @module
 */

import { maddrOf, type Mfn } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { _PAGE_PRESENT, _PAGE_PSE, flagsOf, frameOf } from "../../x86/pte.ts";
import { WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import { type Domain, NO_BASE } from "../domain.ts";
import type { Hypervisor } from "../hypervisor.ts";

/** Guests may use addresses below this and from {@linkcode HYPERVISOR_VIRT_END} up. */
const LOWER_HALF_END = 2 ** 47;
/** End of the range that Xen keeps for itself. @cite xen 4.17 xen/arch/x86/include/asm/config.h HYPERVISOR_VIRT_END */
export const HYPERVISOR_VIRT_END = 0xffff880000000000;

const LOWER_HALF_END_HI = LOWER_HALF_END / 2 ** 32;
const HYPERVISOR_VIRT_END_HI = Math.floor(HYPERVISOR_VIRT_END / 2 ** 32);

/** True for a linear address that a 64-bit paravirtual guest may use. @cite xen 4.17 xen/arch/x86/include/asm/x86_64/uaccess.h __addr_ok */
export function isGuestAddress(linear: number): boolean {
  return linear < LOWER_HALF_END || linear >= HYPERVISOR_VIRT_END;
}

/** Machine address of the level-1 entry of a linear address (u64 as a number), or -1. */
export function guestL1e(hv: Hypervisor, domain: Domain, linear: number): number {
  const lo = linear | 0;
  const table = guestL1Table(hv, domain, linear / 2 ** 32 | 0, lo);
  return table < 0 ? -1 : maddrOf(table, (lo >>> 12 & 0x1ff) * 8);
}

/** Frame of the level-1 table that maps a linear address, given as signed halves, or -1. */
export function guestL1Table(hv: Hypervisor, domain: Domain, hi: number, lo: number): Mfn {
  let table = domain.kernelBase;
  const top = hi >>> 0;
  if (table === NO_BASE || top >= LOWER_HALF_END_HI && top < HYPERVISOR_VIRT_END_HI) return -1 as Mfn;
  table = below(hv, table, hi >>> 7 & 0x1ff);
  if (table < 0) return table;
  table = below(hv, table, (hi & 0x7f) << 2 | lo >>> 30);
  if (table < 0) return table;
  return below(hv, table, lo >>> 21 & 0x1ff);
}

/** Frame of the table below an entry, or -1. */
function below(hv: Hypervisor, table: Mfn, index: number): Mfn {
  const slot = hv.mem.slotOf(table);
  if (slot < 0) return -1 as Mfn;
  const at = slot * WORDS_PER_FRAME + index * 2;
  const lo = hv.mem.words[at]!;
  const hi = hv.mem.words[at + 1]!;
  if ((flagsOf(lo, hi) & (_PAGE_PRESENT | _PAGE_PSE)) !== _PAGE_PRESENT) return -1 as Mfn;
  return frameOf(lo, hi) as Mfn;
}

/** Index of the low half of the entry at a machine address in the memory's words, or -1 if its frame has no content. */
export function entryIndex(hv: Hypervisor, pte: number): number {
  const frame = Math.floor(pte / PAGE_SIZE);
  const slot = hv.mem.slotOf(frame);
  return slot < 0 ? -1 : slot * WORDS_PER_FRAME + (pte - frame * PAGE_SIZE >> 2);
}

/** Packed flags of the entry at a machine address. */
export function entryFlags(hv: Hypervisor, pte: number): number {
  const at = entryIndex(hv, pte);
  return at < 0 ? 0 : flagsOf(hv.mem.words[at]!, hv.mem.words[at + 1]!);
}

/** Frame of the entry at a machine address. */
export function entryFrame(hv: Hypervisor, pte: number): number {
  const at = entryIndex(hv, pte);
  return at < 0 ? 0 : frameOf(hv.mem.words[at]!, hv.mem.words[at + 1]!);
}
