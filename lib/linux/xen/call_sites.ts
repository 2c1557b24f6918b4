/**
 * Hypercalls as the recordings count them: by the place in Linux that makes them. Where the number is a constant of
 * that place it is known; a list of one is made through a function that takes the number as an argument.
 *
 * @cite recorded costs-layers.jsonl touch_write_anon
 * @module
 */

import type { EventCounts } from "../../trace/trace.ts";

/** Calls by number; `unknown`: by a number that came from a register. */
export interface CallSites {
  readonly 1: number;
  readonly 13: number;
  readonly 20: number;
  readonly unknown: number;
}

/**
 * The calls in what was counted, but for those that a program makes through privcmd.
 *
 * @example
 * ```ts
 * import { callSites } from "grantlab/linux/xen";
 * const sites = callSites({ hypercall: 3, hc_multicall: 1, hc_mmu_update: 2, set_pte_call: 1, single_call: 1 });
 * if (sites[13] !== 1 || sites[1] !== 1 || sites.unknown !== 1) throw new Error();
 * ```
 */
export function callSites(counts: EventCounts): CallSites {
  return {
    1: counts.set_pte_call ?? 0,
    13: counts.hc_multicall ?? 0,
    20: counts.hc_grant_table_op ?? 0,
    unknown: counts.single_call ?? 0,
  };
}
