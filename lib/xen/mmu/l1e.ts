/**
 * What a present level-1 entry holds of the frame it maps: a reference, and if it is writable a use as writable page.
 * Taken by frame number here; grants take theirs by themselves, because this way refuses frames of others: that is
 * why a guest cannot copy a grant's entry, nor change its rights.
 *
 * Left out: copy-on-write frames, sub-page read-only ranges; a domain's right to map another's target is not passed on.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c get_page_from_l1e
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { MAX_FRAME } from "../../core/frames.ts";
import { _PAGE_PAT, _PAGE_PCD, _PAGE_PRESENT, _PAGE_PWT, _PAGE_RW } from "../../x86/pte.ts";
import type { Domain } from "../domain.ts";
import { NO_OWNER, PGT_writable_page } from "../frame_table.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { LEAKED_PTE } from "../maptrack.ts";
import { l1DisallowMask, PAGE_CACHE_ATTRS } from "./entry.ts";
import { getPageType, putPageType } from "./page_type.ts";

/**
 * Takes what the entry will hold.
 *
 * @param owner whose page table it is
 * @param pageOwner whose page the caller says it is; null: memory that is not RAM
 * @returns 0, -errno, or (positive) flags to flip in the entry
 */
export function getPageFromL1e(
  hv: Hypervisor,
  frame: number,
  flags: number,
  owner: Domain,
  pageOwner: Domain | null,
): number {
  if ((flags & l1DisallowMask(hv, owner)) !== 0) return -ERRNO.EINVAL;
  if (!hv.frames.isValid(frame)) return getIomem(frame, flags, owner, pageOwner ?? hv.current ?? owner);
  const real = hv.frames.getOwnerAndReference(frame);
  if (real === NO_OWNER) return -ERRNO.EBUSY;
  if (pageOwner === null || real !== pageOwner.domid) {
    hv.frames.putPage(frame);
    return -ERRNO.EBUSY;
  }
  const countsType = writesCount(flags, owner, pageOwner);
  if (countsType && getPageType(hv, frame, PGT_writable_page) !== 0) {
    hv.frames.putPage(frame);
    return -ERRNO.EBUSY;
  }
  if ((flags & PAGE_CACHE_ATTRS) !== 0 && hv.frames.isXenHeap(frame)) {
    if (countsType) putPageType(hv, frame);
    hv.frames.putPage(frame);
    return -ERRNO.EACCES;
  }
  return 0;
}

/** Foreign writable mappings of a translated owner's page are not counted as writers. */
function writesCount(flags: number, owner: Domain, pageOwner: Domain): boolean {
  return (flags & _PAGE_RW) !== 0 && (owner === pageOwner || !pageOwner.external);
}

/** Memory that is not RAM: needs the right to it, and is mapped uncached unless the entry already says so. */
function getIomem(frame: number, flags: number, owner: Domain, pageOwner: Domain): number {
  if (!pageOwner.mayMapIomem || !owner.mayMapIomem) return frame === MAX_FRAME ? -ERRNO.EINVAL : -ERRNO.EPERM;
  const attribute = (flags & _PAGE_PWT ? 1 : 0) | (flags & _PAGE_PCD ? 2 : 0) | (flags & _PAGE_PAT ? 4 : 0);
  // Xen's PAT: 0 WB, 1 WT, 2 UC-, 3 UC, 4 WC, 5 WP, 6 UC, 7 UC
  const isUncached = attribute >= 2 && attribute !== 5;
  return isUncached ? 0 : flags & PAGE_CACHE_ATTRS ^ (_PAGE_PCD | _PAGE_PWT);
}

/**
 * Drops what an entry held. A grant's entry should never come here; if it does, nothing stops it: the reference is
 * dropped, the pin and the handle stay.
 *
 * @param pte machine address of the entry
 * @cite xen 4.17 xen/arch/x86/mm.c put_page_from_l1e
 */
export function putPageFromL1e(
  hv: Hypervisor,
  pte: number,
  frame: number,
  flags: number,
  owner: Domain,
): void {
  if ((flags & _PAGE_PRESENT) === 0 || !hv.frames.isValid(frame)) return;
  if (hv.frames.grantMaps(frame) > 0) recordLeak(hv, pte, frame, owner);
  const pageOwner = hv.domainById(hv.frames.owner(frame));
  if (pageOwner === undefined ? (flags & _PAGE_RW) !== 0 : writesCount(flags, owner, pageOwner)) {
    putPageType(hv, frame);
  }
  hv.frames.putPage(frame);
}

/** If the entry is a grant's: writes the leak down and lets the build notice it or not. */
function recordLeak(hv: Hypervisor, pte: number, frame: number, owner: Domain): void {
  const { maptrack } = owner;
  const handle = maptrack.findHostPte(pte);
  if (handle < 0) return;
  maptrack.setHostPte(handle, LEAKED_PTE);
  hv.frames.addGrantMaps(frame, -1);
  const leak = {
    mapper: owner.domid,
    handle,
    granter: maptrack.domid(handle),
    ref: maptrack.ref(handle),
    mfn: frame,
    pte,
  };
  hv.leaks.push(leak);
  hv.flavour.build.implicitUnmap(hv, leak);
}
