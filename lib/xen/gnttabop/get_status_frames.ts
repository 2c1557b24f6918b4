/**
 * `GNTTABOP_get_status_frames`: the frames that hold the in-use bits of a version-2 table. There are none before the
 * table has that version.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_get_status_frames
 * @module
 */

import type { Mfn } from "../../core/frames.ts";
import type { GnttabGetStatusFrames } from "../abi.ts";
import type { Domain } from "../domain.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { tellFrames } from "./frame_list.ts";

/** 0 or -errno; the status is in `op`. */
export function gnttabGetStatusFrames(hv: Hypervisor, caller: Domain, op: GnttabGetStatusFrames): number {
  return tellFrames(hv, caller, op, existing);
}

/** Null if there are not so many. */
function existing(hv: Hypervisor, { grantTable }: Domain, nrFrames: number): readonly Mfn[] | null {
  hv.flavour.locks.grantReadLock(hv.trace);
  return nrFrames > grantTable.statusFrames.length ? null : grantTable.statusFrames;
}
