/**
 * The security-module seam. Today's only module is the default one: grants between any two domains, a domain's own
 * table and memory, and everything for the privileged domain.
 *
 * @cite xen 4.17 xen/include/xsm/dummy.h xsm_default_action
 * @module
 */

import type { Domain } from "./domain.ts";

/** The questions that the modelled operations ask. */
export interface XsmPolicy {
  readonly name: string;
  /** May `mapper` map a grant of `granter`? */
  grantMapref(mapper: Domain, granter: Domain): boolean;
  /** May `mapper` undo it? */
  grantUnmapref(mapper: Domain, granter: Domain): boolean;
  /** May `caller` grow the table of `target`? */
  grantSetup(caller: Domain, target: Domain): boolean;
  /** May `caller` ask the size of the table of `target`? */
  grantQuerySize(caller: Domain, target: Domain): boolean;
  /** May bytes go from pages of `source` to pages of `dest`? */
  grantCopy(source: Domain, dest: Domain): boolean;
  /** May `caller` give a frame to `receiver`? */
  grantTransfer(caller: Domain, receiver: Domain): boolean;
  /** May `caller` put something behind a guest frame of its own that is `source`'s? */
  addToPhysmap(caller: Domain, source: Domain): boolean;
  /** May `caller` change tables of `ptOwner` to map pages of `pgOwner`? `null`: memory that is not RAM. */
  mmuUpdate(caller: Domain, ptOwner: Domain, pgOwner: Domain | null): boolean;
  /** May `caller` run extended MMU operations on pages of `pgOwner`? */
  mmuextOp(caller: Domain, pgOwner: Domain): boolean;
}

function isTarget(caller: Domain, target: Domain): boolean {
  return caller === target || caller.privileged;
}

/** The default module. */
export const xsmDummy: XsmPolicy = Object.freeze({
  name: "dummy",
  grantMapref: () => true,
  grantUnmapref: () => true,
  grantSetup: isTarget,
  grantQuerySize: isTarget,
  grantCopy: () => true,
  grantTransfer: () => true,
  addToPhysmap: isTarget,
  mmuUpdate: (caller: Domain, ptOwner: Domain, pgOwner: Domain | null) =>
    (pgOwner === null || isTarget(caller, pgOwner)) && isTarget(caller, ptOwner),
  mmuextOp: isTarget,
});
