/**
 * Unmapping, in two passes per batch with one TLB flush between them: the first pass takes the mappings away, the
 * second gives up the pins. So a granter that sees its grant unused may reuse the page: no TLB can reach it.
 *
 * ```text
 *  pass 1: PTE, maptrack ──► flush the mapper's TLBs ──► pass 2: page, type, pin, in-use bits
 * ```
 *
 * @cite xen 4.17 xen/common/grant_table.c unmap_common
 * @module
 */

import { DomainCrash } from "../../core/crash.ts";
import { ERRNO } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly } from "../abi.ts";
import type { Domain } from "../domain.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { putPageTypeOf } from "../mmu/page_type.ts";
import { preemptPoint } from "../preemption.ts";
import { GNTPIN_devr_inc, GNTPIN_devw_inc, GNTPIN_hstr_inc, GNTPIN_hstw_inc } from "../pin.ts";
import { reduceStatus } from "../set_status.ts";
import { GNTST_bad_handle, GNTST_general_error, GNTST_okay, GNTST_permission_denied } from "../status.ts";
import { hostMappingGetsPageType } from "./map_grant_ref.ts";
import type { UnmapCommon } from "./unmap_record.ts";

/**
 * Runs a list of unmaps batch by batch. An element that cannot be read (`null`) ends the hypercall with `-EFAULT`,
 * after the flush and second pass of what was done.
 *
 * @param unmap the command, and how the record's inputs are set from an element
 * @returns 0 or -errno
 */
export function unmapInBatches<T extends { status: number }>(
  hv: Hypervisor,
  mapper: Domain,
  ops: readonly (T | null)[],
  unmap: { readonly cmd: number; fill(common: UnmapCommon, op: T): void },
): number {
  const { batchSize } = hv.flavour.flush;
  const { unmapBatch } = hv.scratch;
  for (let first = 0; first < ops.length; first += batchSize) {
    if (first > 0) preemptPoint(hv, mapper, { cmd: unmap.cmd, done: first });
    const end = Math.min(first + batchSize, ops.length);
    let done = 0;
    let fault = false;
    for (let i = first; i < end; i++) {
      const op = ops[i];
      if (op === null || typeof op !== "object") {
        fault = true;
        break;
      }
      const common = unmapBatch[done++]!;
      hv.trace.one(EV.gnttab_op);
      unmap.fill(common, op);
      if (unmapCommon(hv, mapper, common)) op.status = common.status;
    }
    finishBatch(hv, mapper, done);
    if (fault) return -ERRNO.EFAULT;
  }
  return 0;
}

/** The flush and the second pass of the first `done` records of the batch. */
export function finishBatch(hv: Hypervisor, mapper: Domain, done: number): void {
  const { unmapBatch } = hv.scratch;
  let anyAccessed = false;
  for (let i = 0; i < done; i++) anyAccessed ||= unmapBatch[i]!.mapping.wasAccessed;
  hv.flavour.flush.betweenPasses(hv.tlb, mapper, anyAccessed);
  for (let i = 0; i < done; i++) unmapCommonComplete(hv, mapper, unmapBatch[i]!);
}

/** First pass of one operation. False if the domain was crashed instead of getting a status. */
export function unmapCommon(hv: Hypervisor, mapper: Domain, common: UnmapCommon): boolean {
  const { maptrack } = mapper;
  const { handle } = common;
  common.status = GNTST_bad_handle;
  // 1: the handle exists.  2: and is in use
  if (handle >= maptrack.limit) return true;
  if (maptrack.flags(handle) === 0) return true;
  // 3: the granter cannot have gone while it is mapped, unless the mapper broke the rules
  const granter = hv.domainById(maptrack.domid(handle));
  if (granter === undefined) {
    mapper.crash ??= new DomainCrash(
      mapper.domid,
      "unmap_common",
      `handle ${handle} maps a grant of domain ${maptrack.domid(handle)}, which does not exist`,
    );
    return false;
  }
  // 4: the security module
  if (!hv.flavour.xsm.grantUnmapref(mapper, granter)) {
    common.status = GNTST_permission_denied;
    return true;
  }
  hv.flavour.locks.grantReadLock(hv.trace);
  common.granter = granter;
  common.ref = maptrack.ref(handle);
  // 5: the reference still exists (tables only grow, so only a race could break this)
  if (common.ref >= granter.grantTable.nrEntries) return true;
  hv.flavour.locks.activeEntryAcquire(hv.trace);
  // 6: flags, domid and reference are looked at again under the lock; nothing can race here
  common.mfn = granter.grantTable.mfn[common.ref]!;
  common.row = hv.frames.rowOf(common.mfn);
  common.status = takeMappingAway(hv, mapper, common);
  return true;
}

/** Steps 7 … 9. Step 10, IOMMU tables, has no part here. */
function takeMappingAway(hv: Hypervisor, mapper: Domain, common: UnmapCommon): number {
  const { maptrack } = mapper;
  const { handle, mfn } = common;
  const flags = maptrack.flags(handle);
  const readonly = flags & GNTMAP_readonly;
  const isDevice = common.devBusAddr !== 0 && (flags & GNTMAP_device_map) !== 0;
  const isHost = common.hostAddr !== 0 && (flags & GNTMAP_host_map) !== 0;
  // 7: the bus address is the one that was told
  if (isDevice && common.devBusAddr !== mfn * PAGE_SIZE) return hv.flavour.unmapWrongBusAddress;
  // 8: the host mapping goes, or something else takes its place
  if (isHost) {
    const { mapping } = common;
    mapping.addr = common.hostAddr;
    mapping.mfn = mfn;
    mapping.flags = flags;
    if (!mapper.hostMap.replace(hv, mapper, mapping, common.newAddr)) return GNTST_general_error;
    forgetHostPte(hv, mapper, common);
    common.done |= GNTMAP_host_map | readonly;
  }
  if (isDevice) common.done |= GNTMAP_device_map | readonly;
  // 9: what is left keeps the handle
  if (maptrack.clear(handle, common.done & ~GNTMAP_readonly)) maptrack.put(handle);
  return GNTST_okay;
}

/**
 * Book-keeping for leak records only. Xen compares frame and rights, not handles: of two mappings of one frame a guest
 * may name either entry for either handle, so the other handle inherits the entry that is left.
 */
function forgetHostPte(hv: Hypervisor, mapper: Domain, common: UnmapCommon): void {
  const { maptrack } = mapper;
  const pte = common.mapping.hostPte;
  const recorded = maptrack.hostPte(common.handle);
  if (recorded !== pte) {
    const other = maptrack.findHostPte(pte);
    if (other >= 0) maptrack.setHostPte(other, recorded);
    else if (recorded < 0) return;
  }
  if (!mapper.external) hv.frames.info.addGrantMaps(common.row, -1);
}

/** Second pass of one operation. @cite xen 4.17 xen/common/grant_table.c unmap_common_complete */
function unmapCommonComplete(hv: Hypervisor, mapper: Domain, common: UnmapCommon): void {
  const { done, granter, ref, row } = common;
  if (done === 0 || granter === null) return;
  hv.flavour.locks.grantReadLock(hv.trace);
  hv.flavour.locks.activeEntryAcquire(hv.trace);
  const isReadonly = (done & GNTMAP_readonly) !== 0;
  let decrement = 0;
  if ((done & GNTMAP_device_map) !== 0) {
    if (!isReadonly) putPageTypeOf(hv, row);
    hv.frames.info.putPage(row);
    decrement += isReadonly ? GNTPIN_devr_inc : GNTPIN_devw_inc;
  }
  if ((done & GNTMAP_host_map) !== 0) {
    if (hostMappingGetsPageType(!isReadonly, mapper, granter)) putPageTypeOf(hv, row);
    hv.frames.info.putPage(row);
    decrement += isReadonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  }
  granter.grantTable.pin[ref]! -= decrement;
  reduceStatus(hv, granter, ref, isReadonly);
  common.done = 0;
}
