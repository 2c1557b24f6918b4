/**
 * `mmuext_op`: pinning page tables, base pointers, TLB flushes. A list, stopped by the first error.
 *
 * Left out: descriptor tables, cache flushes, clearing and copying pages (all answer `-ENOSYS`); other domains' pages
 * (only `DOMID_SELF`).
 *
 * @cite xen 4.17 xen/arch/x86/mm.c do_mmuext_op
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { Mfn } from "../../core/frames.ts";
import {
  MMUEXT_INVLPG_ALL,
  MMUEXT_INVLPG_LOCAL,
  MMUEXT_INVLPG_MULTI,
  MMUEXT_NEW_BASEPTR,
  MMUEXT_NEW_USER_BASEPTR,
  MMUEXT_PIN_L1_TABLE,
  MMUEXT_PIN_L2_TABLE,
  MMUEXT_PIN_L3_TABLE,
  MMUEXT_PIN_L4_TABLE,
  MMUEXT_TLB_FLUSH_ALL,
  MMUEXT_TLB_FLUSH_LOCAL,
  MMUEXT_TLB_FLUSH_MULTI,
  MMUEXT_UNPIN_TABLE,
  type MmuextOp,
} from "../abi.ts";
import { type Domain, NO_BASE } from "../domain.ts";
import { PGT_l4_page_table } from "../frame_table.ts";
import { word32, word64 } from "../guest_word.ts";
import { isGuestAddress } from "../host_map/guest_l1e.ts";
import type { Hypervisor } from "../hypervisor.ts";
import type { ListResult } from "./mmu_update.ts";
import { getPageAndType, putPageAndType } from "./page_type.ts";

/** Runs the list; see `mmuextOp` in `hypercall.ts`. */
export function doMmuextOp(hv: Hypervisor, caller: Domain, ops: readonly (MmuextOp | null)[]): ListResult {
  let rc = 0;
  let done = 0;
  for (; done < ops.length; done++) {
    const op = ops[done];
    rc = op === null || typeof op !== "object" ? -ERRNO.EFAULT : runOne(hv, caller, op);
    if (rc !== 0) break;
  }
  return { rc, done };
}

function runOne(hv: Hypervisor, caller: Domain, op: MmuextOp): number {
  const { tlb } = hv;
  const here = hv.currentCpu;
  const cmd = word32(op.cmd);
  const mfn = word64(op.mfn ?? 0);
  const linear = word64(op.linear ?? 0);
  switch (cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE:
      return pinTable(hv, caller, mfn, cmd + 1);
    case MMUEXT_UNPIN_TABLE:
      return unpinTable(hv, caller, mfn);
    case MMUEXT_NEW_BASEPTR:
      return newBase(hv, caller, mfn);
    case MMUEXT_NEW_USER_BASEPTR:
      return newUserBase(hv, caller, mfn);
    case MMUEXT_TLB_FLUSH_LOCAL:
      tlb.flushLocal(here);
      return 0;
    case MMUEXT_INVLPG_LOCAL:
      tlb.flushOneLocal(here, linear);
      return 0;
    case MMUEXT_TLB_FLUSH_MULTI:
      tlb.flushMask(cpusOf(caller, op.vcpumask), here);
      return 0;
    case MMUEXT_INVLPG_MULTI:
      if (isGuestAddress(linear)) tlb.flushOneMask(cpusOf(caller, op.vcpumask), here, linear);
      return 0;
    case MMUEXT_TLB_FLUSH_ALL:
      tlb.flushMask(caller.dirtyCpus, here);
      return 0;
    case MMUEXT_INVLPG_ALL:
      if (isGuestAddress(linear)) tlb.flushOneMask(caller.dirtyCpus, here, linear);
      return 0;
    default:
      return -ERRNO.ENOSYS;
  }
}

/** Validates a table and holds it, whatever refers to it. */
function pinTable(hv: Hypervisor, caller: Domain, mfn: number, type: number): number {
  const rc = getPageAndType(hv, mfn, type, caller);
  if (rc !== 0) return rc;
  if (hv.frames.isPinned(mfn)) {
    putPageAndType(hv, mfn);
    return -ERRNO.EINVAL;
  }
  hv.frames.setPinned(mfn, true);
  return 0;
}

function unpinTable(hv: Hypervisor, caller: Domain, mfn: number): number {
  if (!hv.frames.getPage(mfn, caller.domid)) return -ERRNO.EINVAL;
  let rc = -ERRNO.EINVAL;
  if (hv.frames.isPinned(mfn)) {
    hv.frames.setPinned(mfn, false);
    putPageAndType(hv, mfn);
    rc = 0;
  }
  hv.frames.putPage(mfn);
  return rc;
}

/** The kernel's tables: CR3 is written even if they are the same. @cite xen 4.17 xen/arch/x86/mm.c new_guest_cr3 */
function newBase(hv: Hypervisor, caller: Domain, mfn: number): number {
  const { vcpu } = caller;
  const old = vcpu.kernelBase;
  if (old !== mfn) {
    const rc = getPageAndType(hv, mfn, PGT_l4_page_table, caller);
    if (rc !== 0) return rc;
    vcpu.kernelBase = mfn as Mfn;
  }
  hv.tlb.flushLocal(vcpu.cpu);
  if (old !== mfn && old !== NO_BASE) putPageAndType(hv, old);
  return 0;
}

/** The tables of user mode; frame 0 means none. */
function newUserBase(hv: Hypervisor, caller: Domain, mfn: number): number {
  const { vcpu } = caller;
  const old = vcpu.userBase;
  if (old === mfn) return 0;
  if (mfn !== 0) {
    const rc = getPageAndType(hv, mfn, PGT_l4_page_table, caller);
    if (rc !== 0) return rc;
  }
  vcpu.userBase = mfn as Mfn;
  if (old !== NO_BASE) putPageAndType(hv, old);
  return 0;
}

/** Physical CPUs of a mask of vCPUs, those that may hold translations only. @cite xen 4.17 xen/arch/x86/mm.c vcpumask_to_pcpumask */
function cpusOf(caller: Domain, vcpumask: number | undefined): Set<number> {
  const mask = word64(vcpumask ?? 0);
  const cpus = new Set<number>();
  for (const { id, cpu } of caller.vcpus) {
    if (Math.floor(mask / 2 ** id) % 2 === 1 && caller.dirtyCpus.has(cpu)) cpus.add(cpu);
  }
  return cpus;
}
