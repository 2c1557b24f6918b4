/**
 * Entering and leaving the hypervisor: whose call it is, what it costs, and what is settled when it ends.
 *
 * @module
 */

import { EV } from "../trace/events.ts";
import type { Domain } from "./domain.ts";
import { reapDomains } from "./domain_death.ts";
import type { Hypervisor } from "./hypervisor.ts";

/**
 * Runs a hypercall of `caller`.
 *
 * @param number the event of its number: `EV.hc_mmu_update`, …
 * @throws {DomainCrash} if Xen kills the caller, or has killed it before
 */
export function enter<T>(hv: Hypervisor, caller: Domain, number: number, body: () => T): T {
  if (caller.crash !== null) throw caller.crash;
  hv.trace.add(EV.hypercall);
  hv.trace.add(number);
  return onBehalf(hv, caller, body);
}

/** Runs Xen's code for `caller`, whatever brought the processor into the hypervisor: a hypercall or a trap. */
export function onBehalf<T>(hv: Hypervisor, caller: Domain, body: () => T): T {
  const outer = hv.current;
  hv.current = caller;
  hv.depth++;
  caller.dirtyCpus.add(caller.vcpu.cpu);
  try {
    const result = body();
    if (caller.crash !== null) throw caller.crash;
    return result;
  } finally {
    hv.depth--;
    hv.current = outer;
    if (hv.depth === 0) reapDomains(hv);
  }
}
