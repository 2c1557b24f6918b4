/**
 * Locks that processors meet at, found in the counts: which event is the taking, what happens while it is held, and
 * whom it is shared by. What is held by one processor at a time and shared by all is a queue; a lock of which every
 * processor has its own is none.
 *
 * Left out: locks of single entries and of page tables (processors work on different ones), free lists of handles.
 *
 * @module
 */

import type { EventKind } from "../trace/events.ts";

/** One class of locks. */
export interface LockClass {
  readonly name: string;
  /** The event that is the taking. */
  readonly taken: EventKind;
  /** Events that happen while it is held; their prices are the hold time. */
  readonly during: readonly EventKind[];
  /** How often its cache line changes owner for each taking: once for a spin lock, twice for a count of readers. */
  readonly transfers: number;
  /** In the form of `@cite`. */
  readonly cite: string;
}

/** Classes that are shared by all processors of the host, or of one granter's table. */
export const LOCK_CLASSES: readonly LockClass[] = Object.freeze([
  {
    name: "flush_lock",
    taken: "flush_tlb_mask",
    // The sender waits for all targets before it lets go.
    during: ["flush_tlb_mask", "ipi"],
    transfers: 1,
    cite: "xen 4.17 xen/arch/x86/smp.c flush_area_mask",
  },
  {
    name: "gt_spin_lock",
    taken: "gt_spin_lock",
    during: ["gt_spin_lock", "entry_cmpxchg"],
    transfers: 1,
    cite: "xen 4.5 xen/common/grant_table.c __gnttab_map_grant_ref",
  },
  {
    name: "gt_rw_lock readers",
    taken: "gt_rw_lock",
    // Readers do not exclude each other; what they share is the word that counts them.
    during: ["gt_rw_lock"],
    transfers: 2,
    cite: "commit b4650e9a96 split of the grant lock",
  },
  {
    name: "gt_write_lock",
    taken: "gt_write_lock",
    during: ["gt_write_lock"],
    transfers: 1,
    cite: "xen 4.17 xen/common/grant_table.c grant_write_lock",
  },
  {
    name: "m2p_override_lock",
    taken: "override_lock",
    during: ["override_lock", "override_probe"],
    transfers: 1,
    cite: "linux 3.15 arch/x86/xen/p2m.c m2p_override_lock",
  },
]);

/** A cache line that another processor had last, in cycles. */
export const LINE_TRANSFER = Object.freeze({
  per: 60,
  low: 40,
  high: 300,
  source:
    "assumed: a line from a neighbour through the shared cache, 40 to 80 cycles; from another socket, up to 300",
});
