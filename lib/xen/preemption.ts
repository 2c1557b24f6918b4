/**
 * Where a long list can be interrupted. Xen looks whether something more urgent waits *before* every operation but the
 * first (map, transfer, swap, copy), and between batches (unmap); if so it leaves, and the guest enters again at the
 * operation where it stopped, without noticing. Between leaving and entering, anything can happen.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_map_grant_ref
 * @module
 */

import { EV } from "../trace/events.ts";
import type { Domain } from "./domain.ts";
import type { Hypervisor } from "./hypervisor.ts";

/** Where a list stands. */
export interface PreemptionPoint {
  readonly caller: Domain;
  /** `GNTTABOP_*`. */
  readonly cmd: number;
  /** Operations done. */
  readonly done: number;
}

/** Decides about interruptions, and does what happens meanwhile. */
export interface PreemptionSeam {
  /** Does something more urgent wait? @cite xen 4.17 xen/include/xen/hypercall.h hypercall_preempt_check */
  check(point: PreemptionPoint): boolean;
  /** Runs while the caller is out of the hypervisor. */
  whileAway?(point: PreemptionPoint): void;
}

/**
 * A point of interruption: true if the list was left and entered again.
 *
 * @param letGo what the list must give up before it leaves
 */
export function preemptPoint(
  hv: Hypervisor,
  caller: Domain,
  point: { readonly cmd: number; readonly done: number },
  letGo?: () => void,
): boolean {
  const seam = hv.preemption;
  if (seam === null) return false;
  const where = { caller, ...point };
  if (!seam.check(where)) return false;
  letGo?.();
  hv.current = null;
  seam.whileAway?.(where);
  hv.current = caller;
  hv.trace.one(EV.hypercall);
  hv.trace.one(EV.hc_grant_table_op);
  return true;
}
