/**
 * A guest's plain store to a page-table entry. A page in use as a table is mapped read-only to its guest, so the store
 * traps; Xen validates the new entry, does the store and lets the guest go on. A page that is not (yet) a table is
 * stored to as any other.
 *
 * Left out: stores to tables above level 1 and to parts of an entry, which Xen does not emulate; the fetching and
 * decoding of the instruction.
 *
 * @cite xen 4.17 xen/arch/x86/pv/ro-page-fault.c ptwr_emulated_update
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_PRESENT, entryHi, entryLo } from "../../x86/pte.ts";
import type { Domain } from "../domain.ts";
import { onBehalf } from "../enter.ts";
import { PGT_l1_page_table, PGT_l4_page_table, PGT_none } from "../frame_table.ts";
import { entryFlags, entryFrame, entryIndex } from "../host_map/guest_l1e.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { adjustGuestL1e, updateEntry } from "./entry.ts";
import { getPageFromL1e, putPageFromL1e } from "./l1e.ts";

/** What became of the store: done by the processor, done by Xen, or a page fault for the guest. */
export type StoreOutcome = "stored" | "emulated" | "page fault";

/**
 * Stores an entry at machine address `pte`, a place in the caller's own memory.
 *
 * The new entry may map the caller's own pages only: a store that keeps a grant's frame is refused, which a hypercall
 * that changes nothing but flags is not.
 */
export function storeEntry(
  hv: Hypervisor,
  caller: Domain,
  pte: number,
  frame: number,
  flags: number,
): StoreOutcome {
  const type = typeInUse(hv, Math.floor(pte / PAGE_SIZE));
  if (type < PGT_l1_page_table || type > PGT_l4_page_table) {
    const at = entryIndex(hv, pte);
    hv.mem.words[at] = entryLo(frame, flags);
    hv.mem.words[at + 1] = entryHi(frame, flags);
    return "stored";
  }
  if (type !== PGT_l1_page_table) return "page fault";
  hv.trace.one(EV.ptwr_emulated);
  return onBehalf(hv, caller, () => ptwrEmulatedUpdate(hv, caller, { pte, frame, flags }))
    ? "emulated"
    : "page fault";
}

/** What the frame is in use as. */
function typeInUse(hv: Hypervisor, mfn: number): number {
  return hv.frames.isLockable(mfn) ? hv.frames.type(mfn) : PGT_none;
}

function ptwrEmulatedUpdate(
  hv: Hypervisor,
  caller: Domain,
  entry: { readonly pte: number; readonly frame: number; readonly flags: number },
): boolean {
  const { pte, frame } = entry;
  const oldFrame = entryFrame(hv, pte);
  const oldFlags = entryFlags(hv, pte);
  let { flags } = entry;
  if ((flags & _PAGE_PRESENT) !== 0) {
    const rc = getPageFromL1e(hv, frame, flags, caller, caller);
    if (rc < 0) return false;
    flags = adjustGuestL1e(flags ^ rc);
  }
  updateEntry(hv, pte, { frame, flags, preserveAd: false });
  putPageFromL1e(hv, pte, oldFrame, oldFlags, caller);
  return true;
}
