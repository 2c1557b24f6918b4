/**
 * Hypercalls as a guest makes them. What a guest passes never throws: it ends in a status, an errno, or the modelled
 * death of the domain (`DomainCrash`). An element `null` stands for one in memory that Xen cannot read, a list `null`
 * for a bad pointer: both end in `-EFAULT`.
 *
 * @module
 */

import { ERRNO } from "../core/errno.ts";
import { EV } from "../trace/events.ts";
import { DOMID_SELF, type GrantTableOpRecords, type MmuextOp, type MmuUpdate } from "./abi.ts";
import type { Domain } from "./domain.ts";
import { enter } from "./enter.ts";
import { doGrantTableOp } from "./grant_table_op.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { doRemoveFromPhysmap } from "./mmu/remove_from_physmap.ts";
import { type AddToPhysmap, doAddToPhysmap } from "./mmu/add_to_physmap.ts";
import { doMmuextOp } from "./mmu/mmuext_op.ts";
import { doMmuUpdate, type ListResult } from "./mmu/mmu_update.ts";
import {
  doUpdateVaMapping,
  doUpdateVaMappingOtherdomain,
  type VaUpdateOfOther,
} from "./mmu/update_va_mapping.ts";

/** The record that a command takes; commands that are not modelled take anything. */
export type GrantTableOpRecord<C extends number> = C extends keyof GrantTableOpRecords
  ? GrantTableOpRecords[C]
  : unknown;

/**
 * `grant_table_op`: a list of operations of one command. Results are in the elements; a failing element does not stop
 * the list.
 *
 * @returns 0, or -errno if the list as a whole was refused; `-ENOSYS` for a command that is not modelled
 * @throws {DomainCrash} if Xen kills the caller
 * @cite xen 4.17 xen/common/grant_table.c do_grant_table_op
 *
 * @example
 * ```ts
 * import { PhysMem } from "grantlab/x86";
 * import { Trace } from "grantlab/trace";
 * import * as xen from "grantlab/xen";
 * const cpus = [{ flushAll() {}, invlpg() {} }];
 * const hv = new xen.Hypervisor({ mem: new PhysMem(4096), trace: new Trace(), flavour: xen.xen4_17, cpus });
 * const [dom0, guest] = [hv.createDomain({ frames: 8, privileged: true }), hv.createDomain({ frames: 8 })];
 * xen.grantAccess(guest, 8, { domid: dom0.domid, frame: guest.mfnOf(0) });
 * const op = { host_addr: 0, flags: xen.GNTMAP_device_map, ref: 8, dom: guest.domid, status: 77, handle: 0, dev_bus_addr: 0 };
 * const rc = xen.grantTableOp(hv, dom0, xen.GNTTABOP_map_grant_ref, [op]);
 * if (rc !== 0 || op.status !== xen.GNTST_okay || op.dev_bus_addr !== guest.mfnOf(0) * 4096) throw new Error();
 * ```
 */
export function grantTableOp<C extends number>(
  hv: Hypervisor,
  caller: Domain,
  cmd: C,
  ops: readonly (GrantTableOpRecord<C> | null)[] | null,
): number {
  return enter(hv, caller, EV.hc_grant_table_op, () => doGrantTableOp(hv, caller, cmd, ops));
}

/**
 * `mmu_update`: changes page-table entries and machine-to-physical entries, in order, up to the first error.
 *
 * @param foreigndom low 16 bits: owner of the pages mapped; high 16 bits: owner of the tables plus 1, or 0
 */
export function mmuUpdate(
  hv: Hypervisor,
  caller: Domain,
  updates: readonly (MmuUpdate | null)[],
  foreigndom: number = DOMID_SELF,
): ListResult {
  return enter(hv, caller, EV.hc_mmu_update, () => doMmuUpdate(hv, caller, updates, foreigndom));
}

/**
 * `update_va_mapping`: one level-1 entry of the caller, by linear address.
 *
 * @param uvmf `UVMF_*`: a kind of flush and its reach
 * @returns 0 or -errno
 */
export function updateVaMapping(
  hv: Hypervisor,
  caller: Domain,
  va: number,
  frame: number,
  flags: number,
  uvmf: number,
): number {
  return enter(
    hv,
    caller,
    EV.hc_update_va_mapping,
    () => doUpdateVaMapping(hv, caller, va, { frame, flags }, uvmf),
  );
}

/**
 * `update_va_mapping_otherdomain`: the same for a page of domain `domid`.
 *
 * @returns 0 or -errno; `-ESRCH` without such a domain, `-EPERM` without the right to its pages
 */
export function updateVaMappingOtherdomain(
  hv: Hypervisor,
  caller: Domain,
  request: VaUpdateOfOther,
): number {
  return enter(
    hv,
    caller,
    EV.hc_update_va_mapping_otherdomain,
    () => doUpdateVaMappingOtherdomain(hv, caller, request),
  );
}

/** `mmuext_op`: pins, base pointers, flushes, in order, up to the first error. */
export function mmuextOp(hv: Hypervisor, caller: Domain, ops: readonly (MmuextOp | null)[]): ListResult {
  return enter(hv, caller, EV.hc_mmuext_op, () => doMmuextOp(hv, caller, ops));
}

/** `XENMEM_add_to_physmap`: a grant-table frame or another domain's frame in the caller's guest-frame space. 0 or -errno. */
export function addToPhysmap(hv: Hypervisor, caller: Domain, op: AddToPhysmap): number {
  return enter(hv, caller, EV.hc_memory_op, () => doAddToPhysmap(hv, caller, op));
}

/** `memory_op`, remove_from_physmap: 0 or -errno. */
export function removeFromPhysmap(hv: Hypervisor, caller: Domain, gpfn: number): number {
  return enter(hv, caller, EV.hc_memory_op, () => doRemoveFromPhysmap(hv, caller, gpfn));
}

/** One call of a multicall list. */
export type MulticallEntry =
  | { readonly op: "grant_table_op"; readonly cmd: number; readonly ops: readonly unknown[] | null }
  | {
    readonly op: "mmu_update";
    readonly updates: readonly (MmuUpdate | null)[];
    readonly foreigndom?: number;
  }
  | {
    readonly op: "update_va_mapping";
    readonly va: number;
    readonly frame: number;
    readonly flags: number;
    readonly uvmf: number;
  }
  | ({ readonly op: "update_va_mapping_otherdomain" } & VaUpdateOfOther)
  | { readonly op: "mmuext_op"; readonly ops: readonly (MmuextOp | null)[] };

/**
 * `multicall`: several calls in one entry of the hypervisor. Every call runs, whatever the others return.
 *
 * @returns what each call returned; `done` counts elements for the list calls, else 0
 * @cite xen 4.17 xen/common/multicall.c do_multicall
 */
export function multicall(hv: Hypervisor, caller: Domain, calls: readonly MulticallEntry[]): ListResult[] {
  return enter(hv, caller, EV.hc_multicall, () =>
    calls.map((call) => {
      hv.trace.one(EV.multicall_entry);
      return hv.trace.span(call.op, () => runCall(hv, caller, call));
    }));
}

function runCall(hv: Hypervisor, caller: Domain, call: MulticallEntry): ListResult {
  switch (call.op) {
    case "grant_table_op":
      return { rc: doGrantTableOp(hv, caller, call.cmd, call.ops), done: 0 };
    case "mmu_update":
      return doMmuUpdate(hv, caller, call.updates, call.foreigndom ?? DOMID_SELF);
    case "update_va_mapping":
      return { rc: doUpdateVaMapping(hv, caller, call.va, call, call.uvmf), done: 0 };
    case "update_va_mapping_otherdomain":
      return { rc: doUpdateVaMappingOtherdomain(hv, caller, call), done: 0 };
    case "mmuext_op":
      return doMmuextOp(hv, caller, call.ops);
    default:
      return { rc: -ERRNO.ENOSYS, done: 0 };
  }
}
