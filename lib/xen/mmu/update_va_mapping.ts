/**
 * `update_va_mapping`: one level-1 entry by linear address, with a flush in the same call.
 *
 * Left out: the pointer to a bitmap of vCPUs as target of the flush (answers `-EFAULT`, after the update, as an
 * unreadable pointer does), and the variant for another domain.
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
import { word24, word40, word64 } from "../guest_word.ts";
import { guestL1e } from "../host_map/guest_l1e.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { modL1Entry } from "./mod_entry.ts";

/** Runs the call; see `updateVaMapping` in `hypercall.ts`. */
export function doUpdateVaMapping(
  hv: Hypervisor,
  caller: Domain,
  va: number,
  entry: { readonly frame: number; readonly flags: number },
  uvmf: number,
): number {
  const linear = word64(va);
  hv.trace.one(EV.mmu_update_op);
  const pte = guestL1e(hv, caller, linear);
  if (pte < 0) return -ERRNO.EINVAL;
  const table = Math.floor(pte / PAGE_SIZE);
  if (!hv.frames.getPage(table, caller.domid)) return -ERRNO.EINVAL;
  let rc = -ERRNO.EINVAL;
  if (hv.frames.isLockable(table) && hv.frames.type(table) === PGT_l1_page_table) {
    const update = { pte, frame: word40(entry.frame), flags: word24(entry.flags), preserveAd: false };
    rc = modL1Entry(hv, update, caller, caller);
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
