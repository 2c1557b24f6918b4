/**
 * Taking and dropping a use of a frame as something: writable page, page table of a level. The first use as a page
 * table checks every entry and takes what each one holds (*promote*); the last one drops it all (*demote*).
 *
 * A change of type needs the TLBs clean of translations from the former use: CPUs of the owner that have not flushed
 * since that use ended are flushed.
 *
 * Left out: preemption of long validations, linear (self-referring) tables, descriptor tables, superpages.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c _get_page_type
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { PTRS_PER_TABLE } from "../../core/geometry.ts";
import { maddrOf, type Mfn } from "../../core/frames.ts";
import { _PAGE_PRESENT } from "../../x86/pte.ts";
import type { Domain } from "../domain.ts";
import { PGT_l1_page_table, PGT_l4_page_table, PGT_writable_page } from "../frame_table.ts";
import { entryFlags, entryFrame } from "../host_map/guest_l1e.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { VALIDATED } from "../page_info.ts";
import { adjustGuestL1e, adjustGuestTableEntry, L2_DISALLOW_MASK, writeEntry } from "./entry.ts";
import { getPageFromL1e, putPageFromL1e } from "./l1e.ts";

/** Slots of a top-level table that are Xen's. @cite xen 4.17 xen/arch/x86/include/asm/config.h ROOT_PAGETABLE_FIRST_XEN_SLOT */
const FIRST_XEN_SLOT = 256;
const LAST_XEN_SLOT = 271;

/** True for a slot that the guest may fill. @cite xen 4.17 xen/arch/x86/include/asm/x86_64/page.h is_guest_l4_slot */
export function isGuestSlot(level: number, slot: number): boolean {
  return level < 4 || slot < FIRST_XEN_SLOT || slot > LAST_XEN_SLOT;
}

/** Takes a use of a frame that the caller holds a reference to: 0 or -errno. */
export function getPageType(hv: Hypervisor, mfn: number, type: number): number {
  return getPageTypeOf(hv, hv.frames.rowThere(mfn), type);
}

/** {@linkcode getPageType} of the frame of a row. */
export function getPageTypeOf(hv: Hypervisor, row: number, type: number): number {
  return hv.frames.info.addSameType(row, type) ? 0 : changePageType(hv, row, type);
}

/** The slow way: the frame is something else so far, or its contents were never checked. */
function changePageType(hv: Hypervisor, row: number, type: number): number {
  const { info } = hv.frames;
  const former = info.type(row);
  if (info.typeCount(row) > 0 && former !== type) return -ERRNO.EINVAL;
  info.addTypeCount(row, type);
  info.set(row, VALIDATED, false);
  const owner = hv.domainById(info.owner(row));
  if (former !== type && owner !== undefined) {
    const stale = hv.tlb.filter(owner.dirtyCpus, info.stamp(row));
    if (stale.length > 0) hv.tlb.flushMask(stale, hv.currentCpu);
  }
  if (type >= PGT_l1_page_table && type <= PGT_l4_page_table) {
    const rc = owner === undefined ? -ERRNO.EINVAL : promote(hv, info.mfn(row), type, owner);
    if (rc !== 0) {
      info.clearType(row);
      return rc;
    }
  } else if (type !== PGT_writable_page) {
    info.clearType(row);
    return -ERRNO.EINVAL;
  }
  info.set(row, VALIDATED, true);
  return 0;
}

/** Drops a use. @cite xen 4.17 xen/arch/x86/mm.c _put_page_type */
export function putPageType(hv: Hypervisor, mfn: number): void {
  putPageTypeOf(hv, hv.frames.rowThere(mfn));
}

/** {@linkcode putPageType} of the frame of a row. */
export function putPageTypeOf(hv: Hypervisor, row: number): void {
  const { info } = hv.frames;
  if (info.dropPlainType(row, hv.tlb.now) || info.dropTypeCount(row) > 0) return;
  const type = info.type(row);
  if (info.has(row, VALIDATED)) {
    info.set(row, VALIDATED, false);
    const owner = hv.domainById(info.owner(row));
    if (owner !== undefined) demote(hv, info.mfn(row), type, owner, PTRS_PER_TABLE);
  }
  info.setStamp(row, hv.tlb.now);
}

/** Takes a reference and a use of a frame of `domain`. @cite xen 4.17 xen/arch/x86/mm.c get_page_and_type_from_mfn */
export function getPageAndType(hv: Hypervisor, mfn: number, type: number, domain: Domain): number {
  if (!hv.frames.getPage(mfn, domain.domid)) return -ERRNO.EINVAL;
  const rc = getPageType(hv, mfn, type);
  if (rc !== 0) hv.frames.putPage(mfn);
  return rc;
}

/** Drops both. */
export function putPageAndType(hv: Hypervisor, mfn: number): void {
  putPageType(hv, mfn);
  hv.frames.putPage(mfn);
}

/** Takes what an entry of level 2 … 4 holds: the table below it. @cite xen 4.17 xen/arch/x86/mm.c get_page_from_l2e */
export function getPageFromTableEntry(
  hv: Hypervisor,
  level: number,
  frame: number,
  flags: number,
  owner: Domain,
): number {
  if ((flags & L2_DISALLOW_MASK) !== 0) return -ERRNO.EINVAL;
  return getPageAndType(hv, frame, level - 1, owner);
}

/** Checks all entries of a table of this level and takes what they hold. @cite xen 4.17 xen/arch/x86/mm.c promote_l1_table */
function promote(hv: Hypervisor, mfn: number, level: number, owner: Domain): number {
  if (hv.mem.slotOf(mfn) < 0) return 0;
  for (let slot = 0; slot < PTRS_PER_TABLE; slot++) {
    const pte = maddrOf(mfn as Mfn, slot * 8);
    const flags = entryFlags(hv, pte);
    if ((flags & _PAGE_PRESENT) === 0 || !isGuestSlot(level, slot)) continue;
    const frame = entryFrame(hv, pte);
    const rc = level === 1
      ? getPageFromL1e(hv, frame, flags, owner, owner)
      : getPageFromTableEntry(hv, level, frame, flags, owner);
    if (rc < 0) {
      demote(hv, mfn, level, owner, slot);
      return rc;
    }
    const adjusted = level === 1 ? adjustGuestL1e(flags ^ rc) : adjustGuestTableEntry(flags);
    if (adjusted !== flags) writeEntry(hv, pte, frame, adjusted);
  }
  return 0;
}

/** Drops what the first `slots` entries hold. @cite xen 4.17 xen/arch/x86/mm.c demote_l1_table */
function demote(hv: Hypervisor, mfn: number, level: number, owner: Domain, slots: number): void {
  if (hv.mem.slotOf(mfn) < 0) return;
  for (let slot = 0; slot < slots; slot++) {
    const pte = maddrOf(mfn as Mfn, slot * 8);
    const flags = entryFlags(hv, pte);
    if ((flags & _PAGE_PRESENT) === 0 || !isGuestSlot(level, slot)) continue;
    const frame = entryFrame(hv, pte);
    if (level === 1) putPageFromL1e(hv, pte, frame, flags, owner);
    else putPageAndType(hv, frame);
  }
}
