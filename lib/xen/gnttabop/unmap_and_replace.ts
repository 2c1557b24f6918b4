/**
 * `GNTTABOP_unmap_and_replace`: the grant's page-table entry is not emptied but gets the entry of another linear
 * address, which is emptied instead. Only for mappings made by linear address.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_unmap_and_replace
 * @module
 */

import { GNTTABOP_unmap_and_replace, type GnttabUnmapAndReplace } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { word32, word64 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { unmapInBatches } from "./unmap_common.ts";
import type { UnmapCommon } from "./unmap_record.ts";

/** Unmaps a list; 0 or -errno. */
export function gnttabUnmapAndReplace(
  hv: Hypervisor,
  mapper: Domain,
  ops: readonly (GnttabUnmapAndReplace | null)[],
): number {
  return unmapInBatches(hv, mapper, ops, { cmd: GNTTABOP_unmap_and_replace, fill });
}

function fill(common: UnmapCommon, op: GnttabUnmapAndReplace): void {
  common.reset(word64(op.host_addr), 0, word64(op.new_addr), word32(op.handle));
}
