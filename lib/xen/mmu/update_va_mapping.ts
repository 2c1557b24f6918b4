/**
 * `update_va_mapping`: one level-1 entry by linear address, with a flush in the same call.
 *
 * Left out: the pointer to a bitmap of vCPUs as target of the flush (answers `-EFAULT`, after the update, as an
 * unreadable pointer does).
 *
 * @cite xen 4.17 xen/arch/x86/mm.c do_update_va_mapping
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { UVMF_ALL, UVMF_FLUSHTYPE_MASK, UVMF_INVLPG, UVMF_LOCAL, UVMF_TLB_FLUSH } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { PGT_l1_page_table } from "../frame_table.ts";
import { word16, word24, word40, word64 } from "../guest_word.ts";
import { guestL1e } from "../host_map/guest_l1e.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { modL1Entry } from "./mod_entry.ts";
import { pageOwnerOf } from "./mmu_update.ts";

/** Runs the call; see `updateVaMapping` in `hypercall.ts`. */
export function doUpdateVaMapping(
  hv: Hypervisor,
  caller: Domain,
  va: number,
  entry: VaEntry,
  uvmf: number,
): number {
  return update(hv, caller, { va, entry, uvmf, pageOwner: caller });
}

/**
 * Runs the call for a page of another domain; see `updateVaMappingOtherdomain` in `hypercall.ts`.
 *
 * @cite xen 4.17 xen/arch/x86/mm.c do_update_va_mapping_otherdomain
 * @cite xen 4.17 xen/include/xsm/dummy.h xsm_update_va_mapping
 */
export function doUpdateVaMappingOtherdomain(
  hv: Hypervisor,
  caller: Domain,
  request: VaUpdateOfOther,
): number {
  const { va, uvmf } = request;
  const pageOwner = pageOwnerOf(hv, caller, word16(request.domid));
  if (pageOwner === undefined) return -ERRNO.ESRCH;
  // unlike a list of updates, this one asks for the right to memory that is not RAM, too
  const isAllowed = pageOwner === null
    ? caller.privileged
    : hv.flavour.xsm.mmuUpdate(caller, caller, pageOwner);
  return isAllowed ? update(hv, caller, { va, entry: request, uvmf, pageOwner }) : -ERRNO.EPERM;
}

/** The entry to be stored, as the guest passes it. */
export interface VaEntry {
  readonly frame: number;
  readonly flags: number;
}

/** An entry of the caller's tables, by linear address, for a page of another domain. */
export interface VaUpdateOfOther extends VaEntry {
  readonly va: number;
  /** `UVMF_*`. */
  readonly uvmf: number;
  /** Owner of the page. */
  readonly domid: number;
}

function update(
  hv: Hypervisor,
  caller: Domain,
  request: {
    readonly va: number;
    readonly entry: VaEntry;
    readonly uvmf: number;
    readonly pageOwner: Domain | null;
  },
): number {
  const { va, entry, uvmf, pageOwner } = request;
  const linear = word64(va);
  hv.trace.one(EV.mmu_update_op);
  const pte = guestL1e(hv, caller, linear);
  if (pte < 0) return -ERRNO.EINVAL;
  const table = Math.floor(pte / PAGE_SIZE);
  if (!hv.frames.getPage(table, caller.domid)) return -ERRNO.EINVAL;
  let rc = -ERRNO.EINVAL;
  if (hv.frames.isLockable(table) && hv.frames.type(table) === PGT_l1_page_table) {
    const changed = { pte, frame: word40(entry.frame), flags: word24(entry.flags), preserveAd: false };
    rc = modL1Entry(hv, changed, caller, pageOwner);
  }
  hv.frames.putPage(table);
  return rc === 0 ? flush(hv, caller, linear, word64(uvmf)) : rc;
}

function flush(hv: Hypervisor, caller: Domain, linear: number, uvmf: number): number {
  const type = uvmf % 4 & UVMF_FLUSHTYPE_MASK;
  if (type !== UVMF_TLB_FLUSH && type !== UVMF_INVLPG) return 0;
  const here = hv.currentCpu;
  switch (uvmf - type) {
    case UVMF_LOCAL:
      if (type === UVMF_TLB_FLUSH) hv.tlb.flushLocal(here);
      else hv.tlb.flushOneLocal(here, linear);
      return 0;
    case UVMF_ALL:
      if (type === UVMF_TLB_FLUSH) hv.tlb.flushMask(caller.dirtyCpus, here);
      else hv.tlb.flushOneMask(caller.dirtyCpus, here, linear);
      return 0;
    default:
      return -ERRNO.EFAULT;
  }
}
