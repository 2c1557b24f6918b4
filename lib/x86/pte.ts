/**
 * One paging-structure entry: a frame of up to 40 bits and flags, packed into 24 bits the way Xen packs them (bits
 * 0–11 of the entry stay, bits 52–63 become bits 12–23), so that an entry is two small numbers.
 *
 * ```text
 *  63                52 51                                    12 11          0
 * ┌────────────────────┬────────────────────────────────────────┬─────────────┐
 * │ flags, high 12     │ frame                                  │ flags, low 12│  the entry, two 32-bit words
 * └────────────────────┴────────────────────────────────────────┴─────────────┘
 *    packed: 23 … 12                                                11 … 0
 * ```
 *
 * Names are Linux's (`_PAGE_PRESENT`), values are packed bits.
 *
 * @cite sdm 3A 4.5 Table 4-20
 * @cite xen 4.17 xen/arch/x86/include/asm/x86_64/page.h get_pte_flags
 * @module
 */

import type { Mfn } from "../core/frames.ts";
import { hex } from "../core/show.ts";

export const _PAGE_PRESENT = 1 << 0;
export const _PAGE_RW = 1 << 1;
export const _PAGE_USER = 1 << 2;
export const _PAGE_PWT = 1 << 3;
export const _PAGE_PCD = 1 << 4;
export const _PAGE_ACCESSED = 1 << 5;
export const _PAGE_DIRTY = 1 << 6;
/** Page size, in entries of levels 2 and 3. */
export const _PAGE_PSE = 1 << 7;
/** PAT, in entries of level 1. */
export const _PAGE_PAT = 1 << 7;
export const _PAGE_GLOBAL = 1 << 8;
/** Linux, while not present: a PROT_NONE or NUMA-hint entry. @cite linux 6.1 arch/x86/include/asm/pgtable_types.h _PAGE_PROTNONE */
export const _PAGE_PROTNONE = 1 << 8;
/** Linux: software bit 9. @cite linux 6.1 arch/x86/include/asm/pgtable_types.h _PAGE_SPECIAL */
export const _PAGE_SPECIAL = 1 << 9;
/** Software bits 9, 10, 11 as Xen's grant flags see them. @cite xen 4.17 xen/include/public/grant_table.h GNTMAP_guest_avail0 */
export const _PAGE_AVAIL0 = 1 << 9;
export const _PAGE_AVAIL1 = 1 << 10;
export const _PAGE_AVAIL2 = 1 << 11;
/** Linux: software bit 11. @cite linux 6.1 arch/x86/include/asm/pgtable_types.h _PAGE_SOFT_DIRTY */
export const _PAGE_SOFT_DIRTY = 1 << 11;
/** Entry bit 52, Xen on 64-bit PV. @cite xen 4.17 xen/arch/x86/include/asm/x86_64/page.h _PAGE_GUEST_KERNEL */
export const _PAGE_GUEST_KERNEL = 1 << 12;
/** Entry bit 58. @cite linux 6.1 arch/x86/include/asm/pgtable_types.h _PAGE_DEVMAP */
export const _PAGE_DEVMAP = 1 << 18;
/** Entry bits 59–62: the protection key. */
export const _PAGE_PKEY_MASK = 0xf << 19;
/** Entry bit 62, debug builds of Xen only. @cite xen 4.17 xen/arch/x86/include/asm/x86_64/page.h _PAGE_GNTTAB */
export const _PAGE_GNTTAB = 1 << 22;
/** Entry bit 63. */
export const _PAGE_NX = 1 << 23;

/** Packed flags of an entry given as two 32-bit words. */
export function flagsOf(lo: number, hi: number): number {
  return lo & 0xfff | hi >>> 20 << 12;
}

/** Frame of an entry given as two 32-bit words. */
export function frameOf(lo: number, hi: number): number {
  return (hi & 0xfffff) * 0x100000 + (lo >>> 12);
}

/** Low word of the entry with this frame and these packed flags. */
export function entryLo(frame: number, flags: number): number {
  return frame << 12 | flags & 0xfff;
}

/** High word of the entry with this frame and these packed flags. */
export function entryHi(frame: number, flags: number): number {
  return flags >>> 12 << 20 | frame / 0x100000;
}

/** The protection key of packed flags, 0 … 15. */
export function pkeyOf(flags: number): number {
  return flags >>> 19 & 0xf;
}

const LETTERS: ReadonlyArray<readonly [flag: number, name: string]> = [
  [_PAGE_PRESENT, "P"],
  [_PAGE_RW, "RW"],
  [_PAGE_USER, "US"],
  [_PAGE_PWT, "PWT"],
  [_PAGE_PCD, "PCD"],
  [_PAGE_ACCESSED, "A"],
  [_PAGE_DIRTY, "D"],
  [1 << 7, "PS/PAT"],
  [_PAGE_GLOBAL, "G"],
  [_PAGE_SPECIAL, "9(SPECIAL)"],
  [_PAGE_AVAIL1, "10"],
  [_PAGE_AVAIL2, "11"],
  [_PAGE_NX, "NX"],
];

/**
 * An entry for people: frame, then the names of the flags set, then the bits that have no name here.
 *
 * @example
 * ```ts
 * import { mfn } from "grantlab/core";
 * import { _PAGE_NX, _PAGE_PRESENT, _PAGE_RW, describeEntry } from "grantlab/x86";
 * const text = describeEntry(mfn(0x1f), _PAGE_PRESENT | _PAGE_RW | _PAGE_NX);
 * if (text !== "frame 0x1f P RW NX") throw new Error(text);
 * ```
 */
export function describeEntry(frame: Mfn, flags: number): string {
  const names = LETTERS.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
  const key = pkeyOf(flags);
  if (key !== 0) names.push(`key=${key}`);
  const rest = flags >>> 12 & 0x7f;
  for (let bit = 0; bit < 7; bit++) if ((rest >>> bit & 1) !== 0) names.push(String(52 + bit));
  return `frame ${hex(frame)} ${names.length > 0 ? names.join(" ") : "(empty)"}`;
}
