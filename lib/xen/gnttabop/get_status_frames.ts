/**
 * `GNTTABOP_get_status_frames`: the frames that hold the in-use bits of a version-2 table. There are none before the
 * table has that version.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_get_status_frames
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { GnttabGetStatusFrames } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { word16, word32 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { GNTST_bad_domain, GNTST_general_error, GNTST_okay, GNTST_permission_denied } from "../status.ts";

/** 0 or -errno; the status is in `op`. */
export function gnttabGetStatusFrames(hv: Hypervisor, caller: Domain, op: GnttabGetStatusFrames): number {
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
  hv.flavour.locks.grantReadLock(hv.trace);
  const { statusFrames } = domain.grantTable;
  const nrFrames = word32(op.nr_frames);
  if (nrFrames > statusFrames.length) {
    op.status = GNTST_general_error;
    return 0;
  }
  op.frame_list.length = 0;
  for (let i = 0; i < nrFrames; i++) op.frame_list.push(statusFrames[i]!);
  op.status = GNTST_okay;
  return 0;
}
