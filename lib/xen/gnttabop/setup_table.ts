/**
 * `GNTTABOP_setup_table`: grows a table and tells its frames.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_setup_table
 * @module
 */

import type { Mfn } from "../../core/frames.ts";
import type { GnttabSetupTable } from "../abi.ts";
import type { Domain } from "../domain.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { tellFrames } from "./frame_list.ts";

/** 0 or -errno; the status is in `op`. */
export function gnttabSetupTable(hv: Hypervisor, caller: Domain, op: GnttabSetupTable): number {
  return tellFrames(hv, caller, op, grow);
}

/** Null if the table may not be so large, or the machine is out of frames; then it is as large as it was. */
function grow(hv: Hypervisor, { grantTable }: Domain, nrFrames: number): readonly Mfn[] | null {
  hv.flavour.locks.grantWriteLock(hv.trace);
  if (nrFrames > grantTable.maxFrames) return null;
  const missing = grantTable.missingFrames(nrFrames);
  if (missing > 0) {
    if (!hv.hasFreeFrames(missing)) return null;
    grantTable.grow(nrFrames);
  }
  return grantTable.sharedFrames;
}
