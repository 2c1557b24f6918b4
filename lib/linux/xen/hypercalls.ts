/**
 * The hypercalls as Linux calls them: the caller is the kernel's own domain.
 *
 * @module
 */

import {
  type GnttabCopy,
  type GnttabMapGrantRef,
  type GnttabUnmapAndReplace,
  type GnttabUnmapGrantRef,
  MMUEXT_NEW_BASEPTR,
} from "../../xen/abi.ts";
import { grantTableOp, mmuextOp, multicall, type MulticallEntry } from "../../xen/hypercall.ts";
import type { MmStruct } from "../mm/mm_struct.ts";
import type { XenLinux } from "./xen_linux.ts";

/** Any operation of the grant table that Linux makes here. */
export type GrantOp = GnttabMapGrantRef | GnttabUnmapGrantRef | GnttabUnmapAndReplace | GnttabCopy;

/**
 * Grant operations of one kind; results are in the operations, the hypercall answers 0 or a negative errno.
 *
 * @cite linux 6.1 arch/x86/include/asm/xen/hypercall.h HYPERVISOR_grant_table_op
 */
export function HYPERVISOR_grant_table_op(kernel: XenLinux, cmd: number, ops: readonly GrantOp[]): number {
  return grantTableOp(kernel.hv, kernel.domain, cmd, ops as GrantOp[]);
}

/** Makes the kernel's own tables those in which Xen looks linear addresses up. */
export function newBaseptr(kernel: XenLinux, mm: MmStruct): void {
  mmuextOp(kernel.hv, kernel.domain, [{ cmd: MMUEXT_NEW_BASEPTR, mfn: mm.pgdFrame }]);
}

/**
 * Several hypercalls for the price of one entry.
 *
 * @cite linux 6.1 arch/x86/include/asm/xen/hypercall.h HYPERVISOR_multicall
 */
export function HYPERVISOR_multicall(kernel: XenLinux, calls: readonly MulticallEntry[]): void {
  multicall(kernel.hv, kernel.domain, calls);
}
