/**
 * `GNTTABOP_swap_grant_ref`: exchanges two entries of the caller's table, neither of them in use.
 *
 * @cite xen 4.17 xen/common/grant_table.c swap_grant_ref
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { Maddr } from "../../core/frames.ts";
import { EV } from "../../trace/events.ts";
import { GNTTABOP_swap_grant_ref, type GnttabSwapGrantRef } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { ENTRY_V1_SIZE, ENTRY_V2_SIZE } from "../grant_entry.ts";
import { word32 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { preemptPoint } from "../preemption.ts";
import { GNTST_bad_gntref, GNTST_eagain, GNTST_okay } from "../status.ts";

/** Swaps a list of pairs; 0 or -errno. */
export function gnttabSwapGrantRef(
  hv: Hypervisor,
  caller: Domain,
  ops: readonly (GnttabSwapGrantRef | null)[],
): number {
  for (let i = 0; i < ops.length; i++) {
    if (i > 0) preemptPoint(hv, caller, { cmd: GNTTABOP_swap_grant_ref, done: i });
    const op = ops[i];
    if (op === null || typeof op !== "object") return -ERRNO.EFAULT;
    hv.trace.one(EV.gnttab_op);
    op.status = swapGrantRef(hv, caller, word32(op.ref_a), word32(op.ref_b));
  }
  return 0;
}

function swapGrantRef(hv: Hypervisor, caller: Domain, a: number, b: number): number {
  const table = caller.grantTable;
  hv.flavour.locks.grantWriteLock(hv.trace);
  if (a >= table.nrEntries || b >= table.nrEntries) return GNTST_bad_gntref;
  if (a === b) return GNTST_okay;
  hv.flavour.locks.activeEntryAcquire(hv.trace);
  if (table.pin[a] !== 0) return GNTST_eagain;
  hv.flavour.locks.activeEntryAcquire(hv.trace);
  if (table.pin[b] !== 0) return GNTST_eagain;
  const size = table.version === 1 ? ENTRY_V1_SIZE : ENTRY_V2_SIZE;
  for (let at = 0; at < size; at += 4) {
    const [one, other] = [(table.entry(a) + at) as Maddr, (table.entry(b) + at) as Maddr];
    const word = hv.mem.read32(one);
    hv.mem.write32(one, hv.mem.read32(other));
    hv.mem.write32(other, word);
  }
  return GNTST_okay;
}
