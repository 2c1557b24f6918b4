/**
 * What the replay of raw hypercalls needs of the replayer of a whole case.
 *
 * @module
 */

import { DOMID_SELF } from "../../xen/abi.ts";
import type { Domain } from "../../xen/domain.ts";
import type { Hypervisor } from "../../xen/hypervisor.ts";

/** An operation as the model takes it; fields of all commands. */
export type OpRecord = Record<string, unknown>;

/** The host on which a case is replayed. */
export interface HypercallHost {
  readonly hv: Hypervisor;
  /** Who makes the calls: dom0. */
  readonly caller: Domain;
  /** Who grants: another domain, or dom0 itself. */
  readonly granter: Domain;
  /** Reference of page `page` of the case's grant number `grant`. */
  refOf(grant: number, page: number): number | undefined;
  /** How many pages the case's grant number `grant` has. */
  pagesOf(grant: number): number;
  /** What the elements of earlier steps came back with, by step. */
  readonly returned: Map<number, readonly OpRecord[]>;
}

/** Domid of the word for a domain in a recording. */
export function domidOf(host: Pick<HypercallHost, "granter">, value: unknown): number {
  if (typeof value === "number") return value;
  return value === "granter" || value === "granting domain" ? host.granter.domid : DOMID_SELF;
}
