/**
 * `GNTTABOP_setup_table`: grows a table and tells its frames.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_setup_table
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { GnttabSetupTable } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { word16, word32 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { GNTST_bad_domain, GNTST_general_error, GNTST_okay, GNTST_permission_denied } from "../status.ts";

/** 0 or -errno; the status is in `op`. */
export function gnttabSetupTable(hv: Hypervisor, caller: Domain, op: GnttabSetupTable): number {
  if (!Array.isArray(op.frame_list)) return -ERRNO.EFAULT;
  const domain = hv.domainByAnyId(word16(op.dom), caller);
  if (domain === undefined) {
    op.status = GNTST_bad_domain;
    return 0;
  }
  if (!hv.flavour.xsm.grantSetup(caller, domain)) {
    op.status = GNTST_permission_denied;
    return 0;
  }
  const table = domain.grantTable;
  const nrFrames = word32(op.nr_frames);
  hv.flavour.locks.grantWriteLock(hv.trace);
  if (nrFrames > table.maxFrames || !grow(hv, domain, nrFrames)) {
    op.status = GNTST_general_error;
    return 0;
  }
  op.frame_list.length = 0;
  for (let i = 0; i < nrFrames; i++) op.frame_list.push(table.sharedFrames[i]!);
  op.status = GNTST_okay;
  return 0;
}

/** False if the machine is out of frames; then the table is as large as it was. */
function grow(hv: Hypervisor, domain: Domain, nrFrames: number): boolean {
  const missing = domain.grantTable.missingFrames(nrFrames);
  if (missing === 0) return true;
  if (!hv.hasFreeFrames(missing)) return false;
  domain.grantTable.grow(nrFrames);
  return true;
}
