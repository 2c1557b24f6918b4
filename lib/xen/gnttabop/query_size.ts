/**
 * `GNTTABOP_query_size`: how large a table is and may become.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_query_size
 * @module
 */

import type { GnttabQuerySize } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { word16 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { GNTST_bad_domain, GNTST_okay, GNTST_permission_denied } from "../status.ts";

/** Always 0; the status is in `op`. */
export function gnttabQuerySize(hv: Hypervisor, caller: Domain, op: GnttabQuerySize): number {
  const domain = hv.domainByAnyId(word16(op.dom), caller);
  if (domain === undefined) {
    op.status = GNTST_bad_domain;
    return 0;
  }
  if (!hv.flavour.xsm.grantQuerySize(caller, domain)) {
    op.status = GNTST_permission_denied;
    return 0;
  }
  hv.flavour.locks.grantReadLock(hv.trace);
  op.nr_frames = domain.grantTable.nrFrames;
  op.max_nr_frames = domain.grantTable.maxFrames;
  op.status = GNTST_okay;
  return 0;
}
