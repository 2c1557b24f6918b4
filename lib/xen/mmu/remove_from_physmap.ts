/**
 * `XENMEM_remove_from_physmap`: a translated domain takes a guest frame away. A frame of another domain that was mapped
 * there is let go; a grant goes by the grant operations and not this way.
 *
 * @cite xen 4.17 xen/common/memory.c do_memory_op
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { Domain } from "../domain.ts";
import { word64 } from "../guest_word.ts";
import { guestPhysmapRemovePage } from "../host_map/translated.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { p2m_invalid, p2m_map_foreign, p2mIsGrant } from "../p2m.ts";

/** 0 or -errno: -ENOENT where nothing is, -EINVAL for a grant. */
export function doRemoveFromPhysmap(hv: Hypervisor, caller: Domain, gpfn: number): number {
  if (caller.p2m === null) return -ERRNO.ENOSYS;
  const gfn = word64(gpfn);
  const type = caller.p2m.type(gfn);
  if (type === p2m_invalid) return -ERRNO.ENOENT;
  if (p2mIsGrant(type)) return -ERRNO.EINVAL;
  const mfn = caller.p2m.mfn(gfn);
  guestPhysmapRemovePage(hv, caller, gfn);
  if (type === p2m_map_foreign) hv.frames.putPage(mfn);
  return 0;
}
