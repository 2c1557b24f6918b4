/**
 * From the rights of a VMA to the flags of its entries, and what a change of rights keeps of an entry.
 *
 * @cite linux 6.1 arch/x86/mm/pgprot.c vm_get_page_prot
 * @module
 */

import {
  _PAGE_ACCESSED,
  _PAGE_DEVMAP,
  _PAGE_DIRTY,
  _PAGE_GLOBAL,
  _PAGE_NX,
  _PAGE_PAT,
  _PAGE_PCD,
  _PAGE_PKEY_MASK,
  _PAGE_PRESENT,
  _PAGE_PROTNONE,
  _PAGE_PWT,
  _PAGE_RW,
  _PAGE_SOFT_DIRTY,
  _PAGE_SPECIAL,
  _PAGE_USER,
} from "../../x86/pte.ts";
import type { Vma } from "./vma.ts";
import { VM_ACCESS_FLAGS, VM_EXEC, VM_SHARED, VM_WRITE } from "./vm_flags.ts";

/** @cite linux 6.1 arch/x86/include/asm/pgtable_types.h PAGE_NONE */
export const PAGE_NONE: number = _PAGE_PROTNONE | _PAGE_ACCESSED;

/** Bits that `pte_modify` keeps; bit 10 is userfaultfd's. @cite linux 6.1 arch/x86/include/asm/pgtable_types.h _PAGE_CHG_MASK */
const _PAGE_CHG_MASK: number = _PAGE_PCD | _PAGE_PWT | _PAGE_SPECIAL | _PAGE_ACCESSED | _PAGE_DIRTY |
  1 << 10 |
  _PAGE_SOFT_DIRTY | _PAGE_DEVMAP;

/**
 * Flags of an entry of the VMA: never writable where a write must be seen first (private memory).
 *
 * @cite linux 6.1 arch/x86/mm/pgprot.c vm_get_page_prot
 */
export function vmGetPageProt(flags: number, pkey: number): number {
  const key = pkey << 19;
  if ((flags & VM_ACCESS_FLAGS) === 0) return PAGE_NONE | key;
  let prot = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED | key;
  if ((flags & (VM_SHARED | VM_WRITE)) === (VM_SHARED | VM_WRITE)) prot |= _PAGE_RW;
  if ((flags & VM_EXEC) === 0) prot |= _PAGE_NX;
  return prot;
}

/** Flags of an entry of this VMA. */
export function pageProtOf(vma: Vma): number {
  return vmGetPageProt(vma.flags, vma.pkey);
}

/** The flags of an entry with the rights of `prot`. @cite linux 6.1 arch/x86/include/asm/pgtable.h pte_modify */
export function pteModify(flags: number, prot: number): number {
  return flags & _PAGE_CHG_MASK | prot & ~_PAGE_CHG_MASK;
}

/** Adds what a write leaves behind. @cite linux 6.1 arch/x86/include/asm/pgtable.h pte_mkdirty */
export function pteMkdirty(flags: number): number {
  return flags | _PAGE_DIRTY | _PAGE_SOFT_DIRTY;
}

/** Makes the entry writable if the VMA is. @cite linux 6.1 include/linux/mm.h maybe_mkwrite */
export function maybeMkwrite(flags: number, vma: Vma): number {
  return (vma.flags & VM_WRITE) !== 0 ? flags | _PAGE_RW : flags;
}

const FLUSH_ON_CLEAR = _PAGE_DIRTY | _PAGE_PRESENT | _PAGE_ACCESSED;
const FLUSH_ON_CHANGE = _PAGE_RW | _PAGE_USER | _PAGE_PWT | _PAGE_PCD | _PAGE_PAT | _PAGE_GLOBAL | _PAGE_NX |
  _PAGE_PKEY_MASK;

/** May a TLB hold something that the change makes wrong? @cite linux 6.1 arch/x86/include/asm/tlbflush.h pte_needs_flush */
export function pteNeedsFlush(before: number, after: number): boolean {
  if ((before & _PAGE_PRESENT) === 0) return false;
  const changed = before ^ after;
  return (changed & before & FLUSH_ON_CLEAR) !== 0 || (changed & FLUSH_ON_CHANGE) !== 0;
}
