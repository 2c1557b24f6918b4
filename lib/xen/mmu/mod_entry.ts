/**
 * Changing one entry of a table in use: the new one is checked and takes what it holds before the old one drops
 * what it held. An entry that changes nothing but harmless flags is stored unchecked (the *fast path*), which is how
 * a guest can mark a live grant mapping as special.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c mod_l1_entry
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { _PAGE_PRESENT } from "../../x86/pte.ts";
import type { Domain } from "../domain.ts";
import { entryFlags, entryFrame } from "../host_map/guest_l1e.ts";
import type { Hypervisor } from "../hypervisor.ts";
import {
  adjustGuestL1e,
  adjustGuestTableEntry,
  FASTPATH_FLAG_WHITELIST,
  l1DisallowMask,
  L2_DISALLOW_MASK,
  updateEntry,
} from "./entry.ts";
import { getPageFromL1e, putPageFromL1e } from "./l1e.ts";
import { getPageFromTableEntry, isGuestSlot } from "./page_type.ts";

/** An entry to be stored. */
export interface NewEntry {
  /** Machine address of the entry. */
  readonly pte: number;
  readonly frame: number;
  /** Packed flags. */
  readonly flags: number;
  /** Keep the accessed and dirty bits that are there. */
  readonly preserveAd: boolean;
}

/** Stores an entry of a level-1 table of `owner` that maps a page of `pageOwner`: 0 or -errno. */
export function modL1Entry(hv: Hypervisor, entry: NewEntry, owner: Domain, pageOwner: Domain | null): number {
  const { pte, frame, preserveAd } = entry;
  const oldFrame = entryFrame(hv, pte);
  const oldFlags = entryFlags(hv, pte);
  let flags = entry.flags;
  if ((flags & _PAGE_PRESENT) !== 0) {
    if ((flags & l1DisallowMask(hv, owner)) !== 0) return -ERRNO.EINVAL;
    flags = adjustGuestL1e(flags);
    if (isFastPath(oldFrame, oldFlags, frame, flags)) {
      updateEntry(hv, pte, { frame, flags, preserveAd });
      return 0;
    }
    const rc = getPageFromL1e(hv, frame, flags, owner, pageOwner);
    if (rc < 0) return rc;
    flags ^= rc;
  }
  updateEntry(hv, pte, { frame, flags, preserveAd });
  putPageFromL1e(hv, pte, oldFrame, oldFlags, owner);
  return 0;
}

/** What a change above level 1 leaves for later. */
export interface UpperLevelChange {
  /** An entry has changed, so translations may be stale. */
  changed: boolean;
  /** The table that the former entry held, its use not dropped yet; -1: none. */
  oldTable: number;
}

/**
 * Stores an entry of a table of level 2 … 4 of `owner`: 0 or -errno.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c mod_l4_entry, put_pt_page
 */
export function modTableEntry(
  hv: Hypervisor,
  level: number,
  entry: NewEntry,
  owner: Domain,
  change: UpperLevelChange,
): number {
  const { pte, frame, preserveAd } = entry;
  if (!isGuestSlot(level, pte % PAGE_SIZE / 8)) return -ERRNO.EINVAL;
  const oldFrame = entryFrame(hv, pte);
  const oldFlags = entryFlags(hv, pte);
  let flags = entry.flags;
  if ((flags & _PAGE_PRESENT) !== 0) {
    if ((flags & L2_DISALLOW_MASK) !== 0) return -ERRNO.EINVAL;
    flags = adjustGuestTableEntry(flags);
    if (isFastPath(oldFrame, oldFlags, frame, flags)) {
      updateEntry(hv, pte, { frame, flags, preserveAd });
      return 0;
    }
    const rc = getPageFromTableEntry(hv, level, frame, flags, owner);
    if (rc < 0) return rc;
  }
  updateEntry(hv, pte, { frame, flags, preserveAd });
  if ((oldFlags & _PAGE_PRESENT) !== 0) change.oldTable = oldFrame;
  return 0;
}

/** Same frame, and no flag changed but harmless ones. */
function isFastPath(oldFrame: number, oldFlags: number, frame: number, flags: number): boolean {
  return oldFrame === frame && ((oldFlags ^ flags) & ~FASTPATH_FLAG_WHITELIST) === 0;
}
