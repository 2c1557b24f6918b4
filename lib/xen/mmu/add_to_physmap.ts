/**
 * `XENMEM_add_to_physmap`, and its variant for other domains' frames: how a translated domain gets its grant table, and
 * a tool stack in one the memory of a guest, into its guest-frame space.
 *
 * Left out: every other space; one frame at a time. The guest frame must be empty or hold a frame of RAM, which is then
 * out of the domain's reach.
 *
 * @cite xen 4.17 xen/arch/x86/mm/p2m.c xenmem_add_to_physmap_one
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { DOMID_SELF } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { getPagedFrame } from "../gnttabop/paged_frame.ts";
import { grantToStatusFrames } from "../grant_table.ts";
import { word16, word32, word64 } from "../guest_word.ts";
import { guestPhysmapAddEntry } from "../host_map/translated.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { p2m_map_foreign, p2m_ram_rw } from "../p2m.ts";

/** Frame `idx` of the caller's grant table; with the top bit, of its status frames. */
export const XENMAPSPACE_grant_table = 1;
/** Guest frame `idx` of another domain. */
export const XENMAPSPACE_gmfn_foreign = 4;
/** In `idx`: a status frame is meant. */
export const XENMAPIDX_grant_table_status = 0x80000000;

/** What to put where. */
export interface AddToPhysmap {
  /** I: `XENMAPSPACE_*`. */
  readonly space: number;
  /** I, u32. */
  readonly idx: number;
  /** I, u64: guest frame of the caller. */
  readonly gpfn: number;
  /** I, u16: whose frame, for the foreign space. */
  readonly foreign_domid?: number;
}

/** 0 or -errno. */
export function doAddToPhysmap(hv: Hypervisor, caller: Domain, op: AddToPhysmap): number {
  if (caller.p2m === null) return -ERRNO.ENOSYS;
  const gpfn = word64(op.gpfn);
  switch (word32(op.space)) {
    case XENMAPSPACE_grant_table:
      return addGrantFrame(hv, caller, word32(op.idx), gpfn);
    case XENMAPSPACE_gmfn_foreign:
      return addForeign(hv, caller, word32(op.idx), { gpfn, domid: word16(op.foreign_domid ?? DOMID_SELF) });
    default:
      return -ERRNO.ENOSYS;
  }
}

/** Grows the table if need be. @cite xen 4.17 xen/common/grant_table.c gnttab_map_frame */
function addGrantFrame(hv: Hypervisor, caller: Domain, idx: number, gpfn: number): number {
  const table = caller.grantTable;
  hv.flavour.locks.grantWriteLock(hv.trace);
  const isStatus = idx >= XENMAPIDX_grant_table_status;
  const index = isStatus ? idx - XENMAPIDX_grant_table_status : idx;
  if (isStatus && table.version !== 2) return -ERRNO.EINVAL;
  let nrFrames = index + 1;
  if (isStatus) {
    nrFrames = table.nrFrames;
    while (grantToStatusFrames(nrFrames) <= index && nrFrames < table.maxFrames) nrFrames++;
    if (grantToStatusFrames(nrFrames) <= index) return -ERRNO.EINVAL;
  }
  if (nrFrames > table.maxFrames) return -ERRNO.EINVAL;
  const missing = table.missingFrames(nrFrames);
  if (missing > 0) {
    if (!hv.hasFreeFrames(missing)) return -ERRNO.ENOMEM;
    table.grow(nrFrames);
  }
  const mfn = (isStatus ? table.statusFrames : table.sharedFrames)[index]!;
  return guestPhysmapAddEntry(hv, caller, gpfn, mfn, p2m_ram_rw) ? 0 : -ERRNO.EINVAL;
}

/** @cite xen 4.17 xen/arch/x86/mm/p2m.c p2m_add_foreign */
function addForeign(
  hv: Hypervisor,
  caller: Domain,
  gfn: number,
  to: { readonly gpfn: number; readonly domid: number },
): number {
  const source = to.domid === DOMID_SELF ? undefined : hv.domainById(to.domid);
  if (source === undefined || source === caller) {
    return to.domid === DOMID_SELF ? -ERRNO.EINVAL : -ERRNO.ESRCH;
  }
  if (!hv.flavour.xsm.addToPhysmap(caller, source)) return -ERRNO.EPERM;
  const mfn = getPagedFrame(hv, source, gfn);
  if (mfn < 0) return -ERRNO.EINVAL;
  if (guestPhysmapAddEntry(hv, caller, to.gpfn, mfn, p2m_map_foreign)) return 0;
  hv.frames.putPage(mfn);
  return -ERRNO.EINVAL;
}
