/**
 * From a guest's frame number to a frame with a reference taken: what a grant entry names, or what a guest names of its
 * own memory.
 *
 * @cite xen 4.17 xen/common/grant_table.c get_paged_frame
 * @module
 */

import type { Domain } from "../domain.ts";
import { NO_OWNER } from "../frame_table.ts";
import { readFrameV2 } from "../grant_entry.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { p2m_invalid, p2m_map_foreign, p2m_ram_paged, p2mIsGrant } from "../p2m.ts";
import { GNTST_bad_page, GNTST_eagain } from "../status.ts";

/** Frame number in the entry of a reference that exists. */
export function entryFrameOf(hv: Hypervisor, granter: Domain, ref: number): number {
  const table = granter.grantTable;
  if (table.version !== 1) return readFrameV2(hv.mem, table.entry(ref));
  const at = table.entryIndex(hv.mem, ref) + 1;
  return hv.mem.words[at]! >>> 0;
}

/**
 * Takes a reference to the frame behind a frame number of `domain`: the machine frame, or a negative `GNTST_*`. A
 * paravirtual domain's number is a machine frame, which must be its own.
 */
export function getPagedFrame(hv: Hypervisor, domain: Domain, gfn: number): number {
  const { p2m } = domain;
  if (p2m === null) return hv.frames.getPage(gfn, domain.domid) ? gfn : GNTST_bad_page;
  const type = p2m.type(gfn);
  if (type === p2m_ram_paged) return GNTST_eagain;
  if (type === p2m_invalid || type === p2m_map_foreign) return GNTST_bad_page;
  const mfn = p2m.mfn(gfn);
  if (p2mIsGrant(type)) return hv.frames.getOwnerAndReference(mfn) === NO_OWNER ? GNTST_bad_page : mfn;
  return hv.frames.getPage(mfn, domain.domid) ? mfn : GNTST_bad_page;
}
