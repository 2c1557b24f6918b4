/**
 * Host mappings of translated domains (PVH, HVM): an entry of the second-level tables. The guest's own page tables
 * never change; to the guest the grant is an ordinary guest frame. Each change is flushed at once, so there is nothing
 * to gather at the end of a batch.
 *
 * @cite xen 4.17 xen/arch/x86/hvm/grant_table.c create_grant_p2m_mapping
 * @module
 */

import { DomainCrash } from "../../core/crash.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import type { Hypervisor } from "../hypervisor.ts";
import {
  p2m_grant_map_ro,
  p2m_grant_map_rw,
  p2m_invalid,
  p2m_map_foreign,
  p2m_ram_rw,
  p2mIsGrant,
} from "../p2m.ts";
import { INVALID_M2P_ENTRY } from "../m2p.ts";
import type { HostMapOps, HostMapping } from "./ops.ts";

/** Flags that mean something to a mapping; others are not looked at. */
const KNOWN = GNTMAP_device_map | GNTMAP_host_map | GNTMAP_application_map | GNTMAP_contains_pte;

/** The operations for translated domains. */
export const translatedHostMap: HostMapOps = Object.freeze({
  create: createGrantP2mMapping,
  replace: replaceGrantP2mMapping,
});

function createGrantP2mMapping(hv: Hypervisor, mapper: Domain, mapping: HostMapping): boolean {
  if ((mapping.flags & KNOWN) !== GNTMAP_host_map) return false;
  const gfn = Math.floor(mapping.addr / PAGE_SIZE);
  const type = (mapping.flags & GNTMAP_readonly) !== 0 ? p2m_grant_map_ro : p2m_grant_map_rw;
  mapping.hostPte = gfn * PAGE_SIZE;
  return guestPhysmapAddEntry(hv, mapper, gfn, mapping.mfn, type);
}

/** @cite xen 4.17 xen/arch/x86/hvm/grant_table.c replace_grant_p2m_mapping */
function replaceGrantP2mMapping(
  hv: Hypervisor,
  mapper: Domain,
  mapping: HostMapping,
  newAddr: number,
): boolean {
  if (newAddr !== 0 || (mapping.flags & GNTMAP_contains_pte) !== 0) return false;
  const gfn = Math.floor(mapping.addr / PAGE_SIZE);
  const { p2m } = mapper;
  if (p2m === null || !p2mIsGrant(p2m.type(gfn)) || p2m.mfn(gfn) !== mapping.mfn) return false;
  guestPhysmapRemovePage(hv, mapper, gfn);
  mapping.hostPte = gfn * PAGE_SIZE;
  return true;
}

/**
 * Puts a machine frame behind a guest frame. What ordinary memory was there stays the domain's, out of its reach; a
 * guest that overwrites a live grant or a foreign frame this way is killed.
 *
 * @cite xen 4.17 xen/arch/x86/mm/p2m.c guest_physmap_add_entry
 */
export function guestPhysmapAddEntry(
  hv: Hypervisor,
  domain: Domain,
  gfn: number,
  mfn: number,
  type: number,
): boolean {
  const { p2m } = domain;
  if (p2m === null) return false;
  const old = p2m.type(gfn);
  if (p2mIsGrant(old) || old === p2m_map_foreign) {
    domain.crash ??= new DomainCrash(
      domain.domid,
      "guest_physmap_add_entry",
      `guest frame ${gfn} still maps a frame of another domain`,
    );
    return false;
  }
  if (old === p2m_ram_rw) {
    hv.m2p.set(p2m.mfn(gfn), INVALID_M2P_ENTRY);
    flushP2m(hv, domain);
  }
  return p2m.set(gfn, mfn, type);
}

/** Takes a guest frame away; its translations go with it. @cite xen 4.17 xen/arch/x86/mm/p2m.c p2m_remove_page */
export function guestPhysmapRemovePage(hv: Hypervisor, domain: Domain, gfn: number): void {
  domain.p2m?.set(gfn, -1, p2m_invalid);
  flushP2m(hv, domain);
}

/** @cite xen 4.17 xen/arch/x86/mm/p2m-ept.c ept_sync_domain */
function flushP2m(hv: Hypervisor, domain: Domain): void {
  if (domain.dirtyCpus.size > 0) hv.tlb.flushMask(domain.dirtyCpus, domain.vcpu.cpu);
}
