/**
 * Where a long list can be interrupted. Xen looks whether something more urgent waits *before* every operation but the
 * first (map, transfer, swap, copy), between batches (unmap), and between pages of handles when a domain dies; if so it leaves, and the guest enters again at the
 * operation where it stopped, without noticing. Between leaving and entering, anything can happen.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_map_grant_ref
 * @module
 */

import { EV } from "../trace/events.ts";
import type { Domain } from "./domain.ts";
import type { Hypervisor } from "./hypervisor.ts";

/** Where a list, or the end of a domain, stands. */
export interface PreemptionPoint {
  /** Whose list it is; of `destroydomain`, the domain that dies. */
  readonly caller: Domain;
  /** `GNTTABOP_*`, or that the grant mappings of a dying domain are undone. */
  readonly cmd: number | "destroydomain";
  /** Operations done; of `destroydomain`, handles looked at. */
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
 * A point of interruption in the end of a domain: the tool stack's call is left and entered again, and goes on at the
 * handle where it stopped. The domain is dying meanwhile, and what is not yet undone is still mapped.
 *
 * @cite xen 4.17 xen/common/domctl.c do_domctl XEN_DOMCTL_destroydomain
 */
export function preemptDeath(hv: Hypervisor, dying: Domain, done: number): void {
  const seam = hv.preemption;
  const where = { caller: dying, cmd: "destroydomain", done } as const;
  if (seam === null || !seam.check(where)) return;
  const outer = hv.current;
  hv.current = null;
  seam.whileAway?.(where);
  hv.current = outer;
  hv.trace.one(EV.hypercall);
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
