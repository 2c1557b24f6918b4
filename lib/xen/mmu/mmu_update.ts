/**
 * `mmu_update`: a list of changes to page tables and to the machine-to-physical table, stopped by the first error.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c do_mmu_update
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_PRESENT } from "../../x86/pte.ts";
import {
  DOMID_IO,
  DOMID_SELF,
  MMU_MACHPHYS_UPDATE,
  MMU_NORMAL_PT_UPDATE,
  MMU_PT_UPDATE_NO_TRANSLATE,
  MMU_PT_UPDATE_PRESERVE_AD,
  type MmuUpdate,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import { PGT_l1_page_table, PGT_l4_page_table, PGT_none, PGT_writable_page } from "../frame_table.ts";
import { getPagedFrame } from "../gnttabop/paged_frame.ts";
import { word24, word32, word40, word64 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { writeEntry } from "./entry.ts";
import { modL1Entry, modTableEntry, type UpperLevelChange } from "./mod_entry.ts";
import { getPageType, putPageAndType, putPageType } from "./page_type.ts";

/** What a list hypercall returns: 0 or -errno, and how many elements were done. */
export interface ListResult {
  rc: number;
  done: number;
}

/** Who is concerned by a list. */
interface Parties {
  caller: Domain;
  /** Whose page tables. */
  ptOwner: Domain;
  /** Whose pages; null: memory that is not RAM. */
  pgOwner: Domain | null;
}

/** Runs the list; see `mmuUpdate` in `hypercall.ts`. */
export function doMmuUpdate(
  hv: Hypervisor,
  caller: Domain,
  updates: readonly (MmuUpdate | null)[],
  foreigndom: number,
): ListResult {
  const parties = findParties(hv, caller, word32(foreigndom));
  if (parties === undefined) return { rc: -ERRNO.ESRCH, done: 0 };
  const change: UpperLevelChange = { changed: false, oldTable: -1 };
  let rc = 0;
  let done = 0;
  for (; done < updates.length; done++) {
    const update = updates[done];
    if (update === null || typeof update !== "object") rc = -ERRNO.EFAULT;
    else rc = updateOne(hv, parties, update, change);
    if (rc !== 0) break;
    if (change.oldTable >= 0) dropOldTable(hv, parties.ptOwner, change);
  }
  if (change.changed) flushAfterUpperLevel(hv, parties.ptOwner);
  return { rc, done };
}

/**
 * A table that an entry no longer holds may take long to take apart, so Xen leaves the call, with the flush that this
 * always has, and drops the table when it comes back to the rest of the list. Its use ends after the flush: whoever takes
 * the frame as something else flushes once more.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c put_old_guest_table
 */
function dropOldTable(hv: Hypervisor, ptOwner: Domain, change: UpperLevelChange): void {
  flushAfterUpperLevel(hv, ptOwner);
  putPageAndType(hv, change.oldTable);
  change.changed = false;
  change.oldTable = -1;
}

/** Low half of `foreigndom`: owner of the pages; high half, if not 0: owner of the tables, plus 1. */
function findParties(hv: Hypervisor, caller: Domain, foreigndom: number): Parties | undefined {
  const tables = foreigndom >>> 16;
  const ptOwner = tables === 0 ? caller : hv.domainById(tables - 1);
  const pgOwner = pageOwnerOf(hv, caller, foreigndom & 0xffff);
  return ptOwner === undefined || pgOwner === undefined ? undefined : { caller, ptOwner, pgOwner };
}

/** The owner of pages that a hypercall names: not the caller by its own number. @cite xen 4.17 xen/arch/x86/mm.c get_pg_owner */
export function pageOwnerOf(hv: Hypervisor, caller: Domain, domid: number): Domain | null | undefined {
  if (domid === DOMID_SELF) return caller;
  if (domid === caller.domid) return undefined;
  return domid === DOMID_IO ? null : hv.domainById(domid);
}

function updateOne(
  hv: Hypervisor,
  parties: Parties,
  update: MmuUpdate,
  change: UpperLevelChange,
): number {
  hv.trace.one(EV.mmu_update_op);
  const ptr = word64(update.ptr);
  const cmd = ptr % 8;
  switch (cmd) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_PRESERVE_AD:
    case MMU_PT_UPDATE_NO_TRANSLATE:
      return updateEntryAt(hv, parties, {
        pte: ptr - cmd,
        frame: word40(update.frame),
        flags: word24(update.flags),
        preserveAd: cmd === MMU_PT_UPDATE_PRESERVE_AD,
        translate: cmd !== MMU_PT_UPDATE_NO_TRANSLATE,
      }, change);
    case MMU_MACHPHYS_UPDATE:
      return machphysUpdate(hv, parties, Math.floor(ptr / PAGE_SIZE), word64(update.frame));
    default:
      return -ERRNO.ENOSYS;
  }
}

/** What the entry's frame is in use as decides what happens to it. */
function updateEntryAt(
  hv: Hypervisor,
  parties: Parties,
  entry: { pte: number; frame: number; flags: number; preserveAd: boolean; translate: boolean },
  change: UpperLevelChange,
): number {
  const { ptOwner, pgOwner } = parties;
  const { frames } = hv;
  if (!hv.flavour.xsm.mmuUpdate(parties.caller, ptOwner, pgOwner)) return -ERRNO.EPERM;
  const table = Math.floor(entry.pte / PAGE_SIZE);
  if (!frames.getPage(table, ptOwner.domid)) return -ERRNO.EINVAL;
  const type = frames.isLockable(table) ? frames.type(table) : PGT_none;
  let rc = -ERRNO.EINVAL;
  if (type === PGT_l1_page_table) {
    rc = modTranslatedL1Entry(hv, entry, ptOwner, pgOwner);
  } else if (type > PGT_l1_page_table && type <= PGT_l4_page_table) {
    if (pgOwner === ptOwner) rc = modTableEntry(hv, type, entry, ptOwner, change);
    if (rc === 0) change.changed = true;
  } else if (type === PGT_writable_page) {
    writeEntry(hv, entry.pte, entry.frame, entry.flags);
    rc = 0;
  } else if (type === PGT_none && getPageType(hv, table, PGT_writable_page) === 0) {
    writeEntry(hv, entry.pte, entry.frame, entry.flags);
    putPageType(hv, table);
    rc = 0;
  }
  frames.putPage(table);
  return rc;
}

/**
 * A level-1 entry; if the page's owner is translated, its frame number is a guest frame of that owner unless the command
 * says otherwise.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c mod_l1_entry
 */
function modTranslatedL1Entry(
  hv: Hypervisor,
  entry: { pte: number; frame: number; flags: number; preserveAd: boolean; translate: boolean },
  ptOwner: Domain,
  pgOwner: Domain | null,
): number {
  if (pgOwner === null || pgOwner.p2m === null || !entry.translate || (entry.flags & _PAGE_PRESENT) === 0) {
    return modL1Entry(hv, entry, ptOwner, pgOwner);
  }
  const frame = getPagedFrame(hv, pgOwner, entry.frame);
  if (frame < 0) return -ERRNO.EINVAL;
  const rc = modL1Entry(hv, { ...entry, frame }, ptOwner, pgOwner);
  hv.frames.putPage(frame);
  return rc;
}

function machphysUpdate(hv: Hypervisor, parties: Parties, mfn: number, pfn: number): number {
  const { caller, ptOwner, pgOwner } = parties;
  if (caller !== ptOwner) return -ERRNO.EPERM;
  if (!hv.flavour.xsm.mmuUpdate(caller, caller, pgOwner)) return -ERRNO.EPERM;
  if (pgOwner === null || !hv.frames.getPage(mfn, pgOwner.domid)) return -ERRNO.EINVAL;
  hv.m2p.set(mfn, pfn);
  hv.frames.putPage(mfn);
  return 0;
}

/**
 * After a change above level 1 every CPU that may have walked the tables is flushed: translations through Xen's
 * linear view of them must not survive. The calling CPU flushes itself, others are asked.
 */
function flushAfterUpperLevel(hv: Hypervisor, ptOwner: Domain): void {
  const here = hv.currentCpu;
  if (ptOwner.dirtyCpus.has(here)) hv.tlb.flushLocal(here);
  const others = [...ptOwner.dirtyCpus].filter((cpu) => cpu !== here);
  if (others.length > 0) hv.tlb.flushMask(others, here);
}
