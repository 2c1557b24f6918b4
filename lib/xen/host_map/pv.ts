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
import {
  _PAGE_ACCESSED,
  _PAGE_NX,
  _PAGE_PRESENT,
  _PAGE_RW,
  _PAGE_USER,
  flagsOf,
  frameOf,
} from "../../x86/pte.ts";
import {
  _GNTMAP_guest_avail0,
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_readonly,
} from "../abi.ts";
import { WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import type { Domain } from "../domain.ts";
import { PGT_l1_page_table } from "../frame_table.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { adjustGuestL1e, writeEntryAt } from "../mmu/entry.ts";
import { putPageFromL1e } from "../mmu/l1e.ts";
import { entryFlags, entryFrame, guestL1Table } from "./guest_l1e.ts";
import type { HostMapOps, HostMapping } from "./ops.ts";

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
  let pte = _PAGE_PRESENT | _PAGE_NX | hv.grantPteFlags;
  if ((flags & GNTMAP_application_map) !== 0) pte |= _PAGE_USER;
  if ((flags & GNTMAP_readonly) === 0) pte |= _PAGE_RW;
  return pte | (flags >>> _GNTMAP_guest_avail0 & 7) << 9;
}

function createGrantPvMapping(hv: Hypervisor, mapper: Domain, mapping: HostMapping): boolean {
  if (!lockL1e(hv, mapper, mapping)) return false;
  const { words } = hv.mem;
  const at = mapping.entryAt;
  const oldLo = words[at]!;
  const oldHi = words[at + 1]!;
  writeEntryAt(hv, at, mapping.mfn, adjustGuestL1e(grantToPteFlags(hv, mapping.flags)));
  hv.frames.info.putPage(mapping.tableRow);
  if ((oldLo & _PAGE_PRESENT) !== 0) {
    putPageFromL1e(hv, mapping.hostPte, frameOf(oldLo, oldHi), flagsOf(oldLo, oldHi), mapper);
  }
  return true;
}

/** @cite xen 4.17 xen/arch/x86/pv/grant_table.c replace_grant_pv_mapping */
function replaceGrantPvMapping(
  hv: Hypervisor,
  mapper: Domain,
  mapping: HostMapping,
  newAddr: number,
): boolean {
  if (newAddr !== 0) return moveEntryHere(hv, mapper, mapping, newAddr);
  if (!lockL1e(hv, mapper, mapping)) return false;
  const matches = agrees(hv, mapping);
  if (matches) writeEntryAt(hv, mapping.entryAt, 0, 0);
  hv.frames.info.putPage(mapping.tableRow);
  return matches;
}

/** Steals the entry of `newAddr` and puts it in the mapping's place. */
function moveEntryHere(hv: Hypervisor, mapper: Domain, mapping: HostMapping, newAddr: number): boolean {
  if ((mapping.flags & GNTMAP_contains_pte) !== 0) return false;
  const { addr } = mapping;
  mapping.addr = newAddr;
  const isThere = lockL1e(hv, mapper, mapping);
  mapping.addr = addr;
  if (!isThere) return false;
  const stolen = mapping.hostPte;
  const newFrame = entryFrame(hv, stolen);
  const newFlags = entryFlags(hv, stolen);
  writeEntryAt(hv, mapping.entryAt, 0, 0);
  hv.frames.info.putPage(mapping.tableRow);
  if (lockL1e(hv, mapper, mapping)) {
    const matches = agrees(hv, mapping);
    if (matches) writeEntryAt(hv, mapping.entryAt, newFrame, newFlags);
    hv.frames.info.putPage(mapping.tableRow);
    if (matches) return true;
  }
  // the stolen entry is lost to the guest; what it held must not be
  putPageFromL1e(hv, stolen, newFrame, newFlags, mapper);
  return false;
}

/** The entry still is the mapping, as far as Xen looks. Notes whether it was used. */
function agrees(hv: Hypervisor, mapping: HostMapping): boolean {
  const { words } = hv.mem;
  const lo = words[mapping.entryAt]!;
  mapping.wasAccessed = (lo & _PAGE_ACCESSED) !== 0;
  const difference = lo ^ grantToPteFlags(hv, mapping.flags);
  return (difference & (_PAGE_PRESENT | _PAGE_RW)) === 0 &&
    frameOf(lo, words[mapping.entryAt + 1]!) === mapping.mfn;
}

/**
 * Takes a reference to the table of the level-1 entry at the mapping's address, a machine address or a linear one, and
 * notes where the entry is; false if it may not be changed. Frames and offsets are small numbers on purpose: a large one
 * that is handed on would be an object.
 */
function lockL1e(hv: Hypervisor, mapper: Domain, mapping: HostMapping): boolean {
  const { addr } = mapping;
  let table: number;
  let offset: number;
  if ((mapping.flags & GNTMAP_contains_pte) !== 0) {
    // beyond the machine's memory nobody owns anything; below its end a frame number has 31 bits
    if (addr >= hv.mem.nrFrames * PAGE_SIZE) return false;
    table = addr / PAGE_SIZE | 0;
    offset = addr - table * PAGE_SIZE | 0;
    if ((offset & 7) !== 0) return false;
    mapping.hostPte = addr;
  } else {
    const lo = addr | 0;
    table = guestL1Table(hv, mapper, addr / 2 ** 32 | 0, lo);
    if (table < 0) return false;
    offset = (lo >>> 12 & 0x1ff) * 8;
    mapping.hostPte = table * PAGE_SIZE + offset;
  }
  const { lastTable } = hv;
  const { info } = hv.frames;
  const isLast = table === lastTable.frame;
  const row = isLast ? lastTable.row : hv.frames.rowOf(table);
  if (row < 0 || !info.getPage(row, mapper.domid)) return false;
  if (!info.isLockedAs(row, PGT_l1_page_table)) {
    info.putPage(row);
    return false;
  }
  if (!isLast || hv.mem.mfnOfSlot(lastTable.slot) !== table) {
    lastTable.frame = table;
    lastTable.row = row;
    lastTable.slot = hv.mem.makeSlot(table);
  }
  mapping.tableRow = row;
  mapping.entryAt = lastTable.slot * WORDS_PER_FRAME + (offset >> 2);
  return true;
}
