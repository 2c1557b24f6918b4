/**
 * How a domain ends, in the order in which Xen does it: its grant mappings are undone, its page tables let go, its
 * memory given up. What others still hold stays: the frame, and with it the dying domain under its number, until the
 * last holder lets go. So a mapper never loses the page under its feet, and an unmap still finds the granter.
 *
 * ```text
 *  domainKill ─► release mappings ─► base pointers, pins, second-level tables ─► frames ─┬─► gone
 *                                                                                        └─► dying, until the last
 *                                                                                            frame is free
 * ```
 *
 * Undoing the mappings can be interrupted between pages of handles (`preemption.ts`); simplified: the rest goes in one go.
 *
 * @cite xen 4.17 xen/common/domain.c domain_kill
 * @module
 */

import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly } from "./abi.ts";
import { type Domain, NO_BASE } from "./domain.ts";
import { hostMappingGetsPageType } from "./gnttabop/map_grant_ref.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { putPageAndType, putPageType } from "./mmu/page_type.ts";
import { p2m_map_foreign } from "./p2m.ts";
import { pinIncrement } from "./pin.ts";
import { preemptDeath } from "./preemption.ts";
import { reduceStatus } from "./set_status.ts";

/**
 * Destroys a domain. Safe to call again.
 *
 * @example
 * ```ts
 * import { PhysMem } from "grantlab/x86";
 * import { Trace } from "grantlab/trace";
 * import { domainKill, Hypervisor, xen4_17 } from "grantlab/xen";
 * const cpus = [{ flushAll() {}, invlpg() {} }];
 * const hv = new Hypervisor({ mem: new PhysMem(4096), trace: new Trace(), flavour: xen4_17, cpus });
 * const guest = hv.createDomain({ frames: 16 });
 * domainKill(hv, guest);
 * if (hv.domains.size !== 0 || hv.frames.nrOwned !== 0) throw new Error();
 * ```
 */
export function domainKill(hv: Hypervisor, domain: Domain): void {
  if (!domain.isDying) {
    domain.isDying = true;
    hv.nrDying++;
    hv.depth++;
    gnttabReleaseMappings(hv, domain);
    hv.depth--;
    relinquishTables(hv, domain);
    relinquishMemory(hv, domain);
  }
  reapDomains(hv);
}

/** Forgets dying domains that own nothing any more. @cite xen 4.17 xen/common/domain.c domain_destroy */
export function reapDomains(hv: Hypervisor): void {
  if (hv.nrDying === 0) return;
  for (const domain of [...hv.domains.values()]) {
    if (!domain.isDying || hv.frames.ownedBy(domain.domid) > 0) continue;
    const { sharedFrames, statusFrames } = domain.grantTable;
    if ([...sharedFrames, ...statusFrames].some((frame) => hv.frames.count(frame) > 1)) continue;
    domain.grantTable.destroy();
    hv.domains.delete(domain.domid);
    hv.nrDying--;
  }
}

/**
 * Undoes every grant mapping of a dying mapper, from the highest handle down, with a look at what waits after each page
 * of handles. References that a paravirtual mapper's page tables hold go with the tables.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_release_mappings
 */
function gnttabReleaseMappings(hv: Hypervisor, mapper: Domain): void {
  const { maptrack } = mapper;
  const { locks } = hv.flavour;
  const { limit } = maptrack;
  for (let handle = limit - 1; handle >= 0; handle--) {
    const isBetweenPages = (handle + 1) % maptrack.plan.perPage === 0 && handle + 1 < limit;
    if (isBetweenPages && hv.flavour.deathIsPreempted) preemptDeath(hv, mapper, limit - 1 - handle);
    const flags = maptrack.flags(handle);
    const granter = flags === 0 ? undefined : hv.domainById(maptrack.domid(handle));
    if (granter === undefined) continue;
    const ref = maptrack.ref(handle);
    const isWritable = (flags & GNTMAP_readonly) === 0;
    locks.grantReadLock(hv.trace);
    locks.activeEntryAcquire(hv.trace);
    const mfn = granter.grantTable.mfn[ref]!;
    if ((flags & GNTMAP_device_map) !== 0) {
      if (isWritable) putPageType(hv, mfn);
      hv.frames.putPage(mfn);
    }
    if ((flags & GNTMAP_host_map) !== 0) {
      if (mapper.external) {
        if (hostMappingGetsPageType(isWritable, mapper, granter)) putPageType(hv, mfn);
        hv.frames.putPage(mfn);
      } else if (maptrack.hostPte(handle) >= 0) {
        hv.frames.addGrantMaps(mfn, -1);
      }
    }
    granter.grantTable.pin[ref]! -= pinIncrement(flags);
    reduceStatus(hv, granter, ref, !isWritable);
    maptrack.clear(handle, GNTMAP_device_map | GNTMAP_host_map);
    maptrack.put(handle);
  }
}

/** Lets go of what keeps tables validated. @cite xen 4.17 xen/arch/x86/domain.c domain_relinquish_resources */
function relinquishTables(hv: Hypervisor, domain: Domain): void {
  for (const vcpu of domain.vcpus) {
    if (vcpu.userBase !== NO_BASE) putPageAndType(hv, vcpu.userBase);
    if (vcpu.kernelBase !== NO_BASE) putPageAndType(hv, vcpu.kernelBase);
    vcpu.userBase = NO_BASE;
    vcpu.kernelBase = NO_BASE;
  }
  for (let row = 0; row < hv.frames.nrRows; row++) {
    const mfn = hv.frames.mfnOfRow(row);
    if (hv.frames.owner(mfn) !== domain.domid || !hv.frames.isPinned(mfn)) continue;
    hv.frames.setPinned(mfn, false);
    putPageAndType(hv, mfn);
  }
  domain.p2m?.forEach((_, mfn, type) => {
    if (type === p2m_map_foreign) hv.frames.putPage(mfn);
  });
}

/** Gives up every frame; those that others hold stay. @cite xen 4.17 xen/arch/x86/domain.c relinquish_memory */
function relinquishMemory(hv: Hypervisor, domain: Domain): void {
  for (let row = 0; row < hv.frames.nrRows; row++) {
    const mfn = hv.frames.mfnOfRow(row);
    if (hv.frames.owner(mfn) === domain.domid && !hv.frames.isXenHeap(mfn)) hv.frames.putAllocation(mfn);
  }
}
