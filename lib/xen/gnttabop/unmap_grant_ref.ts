/**
 * `GNTTABOP_unmap_grant_ref`. The operation is in `unmap_common.ts`; an address of 0 leaves that half of the mapping.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_unmap_grant_ref
 * @module
 */

import { GNTTABOP_unmap_grant_ref, type GnttabUnmapGrantRef } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { word32, word64 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { unmapInBatches } from "./unmap_common.ts";
import type { UnmapCommon } from "./unmap_record.ts";

/** Unmaps a list; 0 or -errno. */
export function gnttabUnmapGrantRef(
  hv: Hypervisor,
  mapper: Domain,
  ops: readonly (GnttabUnmapGrantRef | null)[],
): number {
  return unmapInBatches(hv, mapper, ops, { cmd: GNTTABOP_unmap_grant_ref, fill });
}

function fill(common: UnmapCommon, op: GnttabUnmapGrantRef): void {
  common.reset(word64(op.host_addr), word64(op.dev_bus_addr), 0, word32(op.handle));
}
