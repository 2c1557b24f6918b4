/**
 * Entering and leaving the hypervisor: whose call it is, what it costs, and what is settled when it ends.
 *
 * @module
 */

import { EV, EVENT_KINDS } from "../trace/events.ts";
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
  return enterWith(hv, caller, number, runs, body);
}

/** {@linkcode enter} with a function that is the same for every call, so that entering makes no object. */
export function enterWith<A, T>(
  hv: Hypervisor,
  caller: Domain,
  number: number,
  body: (hv: Hypervisor, caller: Domain, argument: A) => T,
  argument: A,
): T {
  if (caller.crash !== null) throw caller.crash;
  if (hv.trace.sink !== null) return enterSpan(hv, caller, number, body, argument);
  hv.trace.one(EV.hypercall);
  hv.trace.one(number);
  return onBehalfWith(hv, caller, body, argument);
}

/** The same as a span of the hypercall's name: the event of its number without `hc_`. */
function enterSpan<A, T>(
  hv: Hypervisor,
  caller: Domain,
  number: number,
  body: (hv: Hypervisor, caller: Domain, argument: A) => T,
  argument: A,
): T {
  const name = EVENT_KINDS[number]!.slice("hc_".length);
  hv.trace.enter(name);
  try {
    hv.trace.one(EV.hypercall);
    hv.trace.one(number);
    return onBehalfWith(hv, caller, body, argument);
  } finally {
    hv.trace.leave(name);
  }
}

/** Runs Xen's code for `caller`, whatever brought the processor into the hypervisor: a hypercall or a trap. */
export function onBehalf<T>(hv: Hypervisor, caller: Domain, body: () => T): T {
  return onBehalfWith(hv, caller, runs, body);
}

function runs<T>(_hv: Hypervisor, _caller: Domain, body: () => T): T {
  return body();
}

function onBehalfWith<A, T>(
  hv: Hypervisor,
  caller: Domain,
  body: (hv: Hypervisor, caller: Domain, argument: A) => T,
  argument: A,
): T {
  const outer = hv.current;
  hv.current = caller;
  hv.depth++;
  caller.dirtyCpus.add(caller.vcpu.cpu);
  try {
    const result = body(hv, caller, argument);
    if (caller.crash !== null) throw caller.crash;
    return result;
  } finally {
    hv.depth--;
    hv.current = outer;
    if (hv.depth === 0) reapDomains(hv);
  }
}
