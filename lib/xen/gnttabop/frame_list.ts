/**
 * What `setup_table` and `get_status_frames` have in common: whose table, with what right, and the list of frames that
 * the caller gets.
 *
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { Mfn } from "../../core/frames.ts";
import type { GnttabSetupTable } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { word16, word32 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { GNTST_bad_domain, GNTST_general_error, GNTST_okay, GNTST_permission_denied } from "../status.ts";

/**
 * Fills `op.frame_list`; 0 or -errno, the status is in `op`.
 *
 * @param frames takes the lock and answers the frames there are, null if there cannot be so many
 */
export function tellFrames(
  hv: Hypervisor,
  caller: Domain,
  op: Pick<GnttabSetupTable, "dom" | "nr_frames" | "frame_list" | "status">,
  frames: (hv: Hypervisor, domain: Domain, nrFrames: number) => readonly Mfn[] | null,
): number {
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
  const nrFrames = word32(op.nr_frames);
  const list = frames(hv, domain, nrFrames);
  if (list === null) {
    op.status = GNTST_general_error;
    return 0;
  }
  op.frame_list.length = 0;
  for (let i = 0; i < nrFrames; i++) op.frame_list.push(list[i]!);
  op.status = GNTST_okay;
  return 0;
}
