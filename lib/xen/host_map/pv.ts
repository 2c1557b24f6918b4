/**
 * Host mappings of paravirtual domains: a level-1 entry of the mapper's own tables.
 *
 * - where: a machine address (`GNTMAP_contains_pte`), else the entry of a linear address in the current tables;
 * - it must lie in a frame that the mapper owns and that is in use as a level-1 table;
 * - nothing else is checked when the mapping is made: whatever was there is dropped;
 * - when it is unmade, the entry must still hold the frame, and agree in PRESENT and RW; other flags do not matter,
 *   which is why a guest may set its software bits in a live mapping.
 *
 * @cite xen 4.17 xen/arch/x86/pv/grant_table.c create_grant_pv_mapping
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { _PAGE_ACCESSED, _PAGE_NX, _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../../x86/pte.ts";
import {
  _GNTMAP_guest_avail0,
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_readonly,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import { PGT_l1_page_table } from "../frame_table.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { adjustGuestL1e, writeEntry } from "../mmu/entry.ts";
import { putPageFromL1e } from "../mmu/l1e.ts";
import { entryFlags, entryFrame, guestL1e } from "./guest_l1e.ts";
import type { HostMapOps, HostMapping } from "./ops.ts";

/** No entry, or not one that may be changed. */
const REFUSED = -1;

/** The operations for paravirtual domains. */
export const pvHostMap: HostMapOps = Object.freeze({
  create: createGrantPvMapping,
  replace: replaceGrantPvMapping,
});

/**
 * Packed page-table flags of a grant mapping, before {@linkcode adjustGuestL1e}.
 *
 * @cite xen 4.17 xen/arch/x86/pv/grant_table.c grant_to_pte_flags
 */
export function grantToPteFlags(hv: Hypervisor, flags: number): number {
  let pte = _PAGE_PRESENT | _PAGE_NX | hv.flavour.flush.grantPteFlags | hv.flavour.build.grantPteTag;
  if ((flags & GNTMAP_application_map) !== 0) pte |= _PAGE_USER;
  if ((flags & GNTMAP_readonly) === 0) pte |= _PAGE_RW;
  return pte | (flags >>> _GNTMAP_guest_avail0 & 7) << 9;
}

function createGrantPvMapping(hv: Hypervisor, mapper: Domain, mapping: Readonly<HostMapping>): number {
  const pte = lockL1e(hv, mapper, mapping.addr, (mapping.flags & GNTMAP_contains_pte) !== 0);
  if (pte < 0) return REFUSED;
  const oldFlags = entryFlags(hv, pte);
  const oldFrame = oldFlags === 0 ? 0 : entryFrame(hv, pte);
  writeEntry(hv, pte, mapping.mfn, adjustGuestL1e(grantToPteFlags(hv, mapping.flags)));
  unlockL1e(hv, pte);
  putPageFromL1e(hv, pte, oldFrame, oldFlags, mapper);
  return pte;
}

/** @cite xen 4.17 xen/arch/x86/pv/grant_table.c replace_grant_pv_mapping */
function replaceGrantPvMapping(
  hv: Hypervisor,
  mapper: Domain,
  mapping: HostMapping,
  newAddr: number,
): number {
  const containsPte = (mapping.flags & GNTMAP_contains_pte) !== 0;
  if (newAddr !== 0 && containsPte) return REFUSED;
  let newFrame = 0;
  let newFlags = 0;
  let stolen = REFUSED;
  if (newAddr !== 0) {
    stolen = lockL1e(hv, mapper, newAddr, false);
    if (stolen < 0) return REFUSED;
    newFrame = entryFrame(hv, stolen);
    newFlags = entryFlags(hv, stolen);
    writeEntry(hv, stolen, 0, 0);
    unlockL1e(hv, stolen);
  }
  const pte = lockL1e(hv, mapper, mapping.addr, containsPte);
  const matches = pte >= 0 && agrees(hv, pte, mapping);
  if (matches) writeEntry(hv, pte, newFrame, newFlags);
  if (pte >= 0) unlockL1e(hv, pte);
  if (matches) return pte;
  // the stolen entry is lost to the guest; what it held must not be
  if (stolen >= 0) putPageFromL1e(hv, stolen, newFrame, newFlags, mapper);
  return REFUSED;
}

/** The entry still is the mapping, as far as Xen looks. Notes whether it was used. */
function agrees(hv: Hypervisor, pte: number, mapping: HostMapping): boolean {
  const flags = entryFlags(hv, pte);
  mapping.wasAccessed = (flags & _PAGE_ACCESSED) !== 0;
  const difference = flags ^ grantToPteFlags(hv, mapping.flags);
  return entryFrame(hv, pte) === mapping.mfn && (difference & (_PAGE_PRESENT | _PAGE_RW)) === 0;
}

/** Machine address of the entry, with a reference to its table taken; -1 if it may not be changed. */
function lockL1e(hv: Hypervisor, mapper: Domain, addr: number, isMachineAddress: boolean): number {
  if (isMachineAddress && addr % 8 !== 0) return REFUSED;
  const pte = isMachineAddress ? addr : guestL1e(hv, mapper, addr);
  if (pte < 0) return REFUSED;
  const table = Math.floor(pte / PAGE_SIZE);
  if (!hv.frames.getPage(table, mapper.domid)) return REFUSED;
  if (hv.frames.isLockedAs(table, PGT_l1_page_table)) return pte;
  hv.frames.putPage(table);
  return REFUSED;
}

function unlockL1e(hv: Hypervisor, pte: number): void {
  hv.frames.putPage(Math.floor(pte / PAGE_SIZE));
}
