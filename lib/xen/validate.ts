/**
 * Are the hypervisor's books in order? Everything that is counted is counted again from what it should come from:
 * references and types from page tables, base pointers, pins and device mappings; pins from maptrack; the in-use bits
 * from pins. Slow, for tests.
 *
 * Assumes that no hypercall runs and no copy is in flight.
 *
 * @module
 */

import { PAGE_SIZE, PTRS_PER_TABLE } from "../core/geometry.ts";
import { hex } from "../core/show.ts";
import { WORDS_PER_FRAME } from "../x86/phys_mem.ts";
import { _PAGE_PRESENT, _PAGE_RW, flagsOf, frameOf } from "../x86/pte.ts";
import {
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GTF_accept_transfer,
  GTF_reading,
  GTF_type_mask,
  GTF_writing,
} from "./abi.ts";
import { type Domain, NO_BASE } from "./domain.ts";
import { NO_OWNER, PAGE_TYPES, PGT_l1_page_table, PGT_l4_page_table } from "./frame_table.ts";
import { hostMappingGetsPageType } from "./gnttabop/map_grant_ref.ts";
import { entryFlags, entryFrame } from "./host_map/guest_l1e.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { isGuestSlot } from "./mmu/page_type.ts";
import { p2m_map_foreign, p2mIsGrant } from "./p2m.ts";
import { GNTPIN_writing_mask, pinIncrement } from "./pin.ts";

/** A broken rule. */
export interface XenViolation {
  readonly rule:
    | "reference-count"
    | "type-count"
    | "pin-count"
    | "pinned-user"
    | "entry-bits"
    | "host-pte"
    | "maptrack-list"
    | "copy-over"
    | "owned-frames";
  readonly what: string;
}

/** How strict to be. */
export interface ValidateOptions {
  /** Guests keep to the protocol: they leave entries in use alone. Default true. */
  readonly guestsBehave?: boolean;
}

/** All broken rules; none if the books are in order. */
export function validateXen(hv: Hypervisor, options: ValidateOptions = {}): XenViolation[] {
  const violations: XenViolation[] = [];
  checkFrames(hv, violations);
  checkOwners(hv, violations);
  for (const mapper of hv.domains.values()) checkMaptrack(hv, mapper, violations);
  for (const granter of hv.domains.values()) {
    checkPins(hv, granter, violations, options.guestsBehave ?? true);
  }
  return violations;
}

/** The number of frames of each domain, counted again. */
function checkOwners(hv: Hypervisor, violations: XenViolation[]): void {
  const owned = new Map<number, number>();
  for (let row = 0; row < hv.frames.nrRows; row++) {
    const mfn = hv.frames.mfnOfRow(row);
    const owner = hv.frames.owner(mfn);
    if (owner !== NO_OWNER && !hv.frames.isXenHeap(mfn)) owned.set(owner, (owned.get(owner) ?? 0) + 1);
    if (owner !== NO_OWNER && !hv.domains.has(owner)) {
      violations.push({
        rule: "owned-frames",
        what: `frame ${hex(mfn)} is domain ${owner}'s, which is no more`,
      });
    }
  }
  for (const { domid } of hv.domains.values()) {
    const wanted = owned.get(domid) ?? 0;
    if (hv.frames.ownedBy(domid) === wanted) continue;
    const what = `domain ${domid} is said to own ${hv.frames.ownedBy(domid)} frames, it owns ${wanted}`;
    violations.push({ rule: "owned-frames", what });
  }
}

/** References and types of every frame, counted again. */
function checkFrames(hv: Hypervisor, violations: XenViolation[]): void {
  const { frames } = hv;
  const refs = new Map<number, number>();
  const types = new Map<number, number>();
  const hold = (mfn: number, isTyped: boolean): void => {
    refs.set(mfn, (refs.get(mfn) ?? 0) + 1);
    if (isTyped) types.set(mfn, (types.get(mfn) ?? 0) + 1);
  };
  for (let row = 0; row < frames.nrRows; row++) {
    const mfn = frames.mfnOfRow(row);
    if (frames.isAllocated(mfn)) hold(mfn, frames.isXenHeap(mfn));
    if (frames.isPinned(mfn)) hold(mfn, true);
    holdEntries(hv, mfn, hold);
  }
  for (const domain of hv.domains.values()) {
    for (const { kernelBase, userBase } of domain.vcpus) {
      if (kernelBase !== NO_BASE) hold(kernelBase, true);
      if (userBase !== NO_BASE) hold(userBase, true);
    }
    holdMappings(hv, domain, hold);
    domain.p2m?.forEach((_, mfn, type) => {
      if (type === p2m_map_foreign) hold(mfn, false);
    });
  }
  for (let row = 0; row < frames.nrRows; row++) {
    const mfn = frames.mfnOfRow(row);
    const wanted = refs.get(mfn) ?? 0;
    if (frames.count(mfn) !== wanted) {
      violations.push({
        rule: "reference-count",
        what: `frame ${hex(mfn)} has ${frames.count(mfn)} references, ${wanted} can be accounted for`,
      });
    }
    const uses = types.get(mfn) ?? 0;
    if (frames.typeCount(mfn) !== uses) {
      violations.push({
        rule: "type-count",
        what: `frame ${hex(mfn)} has ${frames.typeCount(mfn)} uses as ${PAGE_TYPES[frames.type(mfn)]}, ` +
          `${uses} can be accounted for`,
      });
    }
  }
}

/** What grant mappings hold, those by page-table entry excepted: device mappings, and all of a translated mapper's. */
function holdMappings(hv: Hypervisor, mapper: Domain, hold: (mfn: number, isTyped: boolean) => void): void {
  const { maptrack } = mapper;
  for (let handle = 0; handle < maptrack.limit; handle++) {
    const flags = maptrack.flags(handle);
    const granter = hv.domainById(maptrack.domid(handle));
    if (flags === 0 || granter === undefined) continue;
    const mfn = granter.grantTable.mfn[maptrack.ref(handle)]!;
    const isWritable = (flags & GNTMAP_readonly) === 0;
    if ((flags & GNTMAP_device_map) !== 0) hold(mfn, isWritable);
    if (mapper.external && (flags & GNTMAP_host_map) !== 0) {
      hold(mfn, hostMappingGetsPageType(isWritable, mapper, granter));
    }
  }
}

/** What the entries of a table in use hold. */
function holdEntries(hv: Hypervisor, table: number, hold: (mfn: number, isTyped: boolean) => void): void {
  const { frames } = hv;
  const level = frames.type(table);
  const isTable = level >= PGT_l1_page_table && level <= PGT_l4_page_table;
  if (!isTable || !frames.isLockable(table) || hv.mem.slotOf(table) < 0) return;
  const owner = hv.domainById(frames.owner(table));
  const first = hv.mem.slotOf(table) * WORDS_PER_FRAME;
  for (let slot = 0; slot < PTRS_PER_TABLE; slot++) {
    const lo = hv.mem.words[first + slot * 2]!;
    if ((lo & _PAGE_PRESENT) === 0 || !isGuestSlot(level, slot)) continue;
    const hi = hv.mem.words[first + slot * 2 + 1]!;
    const flags = flagsOf(lo, hi);
    const frame = frameOf(lo, hi);
    if (!frames.isValid(frame)) continue;
    const pageOwner = hv.domainById(frames.owner(frame));
    const isCounted = pageOwner === owner || pageOwner?.external !== true;
    hold(frame, level > 1 || (flags & _PAGE_RW) !== 0 && isCounted);
  }
}

/** Free lists hold exactly the free handles; a recorded host mapping is there. */
function checkMaptrack(hv: Hypervisor, mapper: Domain, violations: XenViolation[]): void {
  const { maptrack } = mapper;
  const isListed = new Uint8Array(maptrack.limit);
  for (let list = 0; list < maptrack.nrLists; list++) {
    for (const handle of maptrack.freeList(list)) {
      if (isListed[handle] === 1 || maptrack.flags(handle) !== 0) {
        const what =
          `handle ${handle} of domain ${mapper.domid} is on a free list and in use, or listed twice`;
        violations.push({ rule: "maptrack-list", what });
      }
      isListed[handle] = 1;
    }
  }
  for (let handle = 0; handle < maptrack.limit; handle++) {
    if (isListed[handle] === 0 && maptrack.flags(handle) === 0) {
      const what = `handle ${handle} of domain ${mapper.domid} is neither on a free list nor in use`;
      violations.push({ rule: "maptrack-list", what });
    }
  }
  for (let handle = 0; handle < maptrack.limit; handle++) {
    if ((maptrack.flags(handle) & GNTMAP_host_map) === 0 || maptrack.hostPte(handle) < 0) continue;
    const granter = hv.domainById(maptrack.domid(handle));
    const mfn = granter?.grantTable.mfn[maptrack.ref(handle)];
    const pte = maptrack.hostPte(handle);
    if (!isMappedAt(hv, mapper, pte, mfn)) {
      const what = `handle ${handle} of domain ${mapper.domid}: the entry at ${
        hex(pte)
      } does not map its frame`;
      violations.push({ rule: "host-pte", what });
    }
  }
}

/** The entry of the page tables, or of the second-level tables, maps the frame. */
function isMappedAt(hv: Hypervisor, mapper: Domain, pte: number, mfn: number | undefined): boolean {
  if (mapper.p2m !== null) {
    const gfn = Math.floor(pte / PAGE_SIZE);
    return p2mIsGrant(mapper.p2m.type(gfn)) && mapper.p2m.mfn(gfn) === mfn;
  }
  return (entryFlags(hv, pte) & _PAGE_PRESENT) !== 0 && entryFrame(hv, pte) === mfn;
}

/** Pins are the mappings; the in-use bits are the pins. */
function checkPins(
  hv: Hypervisor,
  granter: Domain,
  violations: XenViolation[],
  guestsBehave: boolean,
): void {
  const table = granter.grantTable;
  if (table.nrV2Ops !== 0 || table.copies.size !== 0) {
    violations.push({ rule: "copy-over", what: `a copy of domain ${granter.domid}'s grants never ended` });
  }
  const pins = new Int32Array(table.nrEntries);
  for (const mapper of hv.domains.values()) {
    const { maptrack } = mapper;
    for (let handle = 0; handle < maptrack.limit; handle++) {
      const flags = maptrack.flags(handle);
      if (flags === 0 || maptrack.domid(handle) !== granter.domid) continue;
      const ref = maptrack.ref(handle);
      pins[ref]! += pinIncrement(flags);
      if (table.domid[ref] !== mapper.domid) {
        const what = `grant ${ref} of domain ${granter.domid} is mapped by ${mapper.domid}, ` +
          `in use by ${table.domid[ref]}`;
        violations.push({ rule: "pinned-user", what });
      }
    }
  }
  for (let ref = 0; ref < table.nrEntries; ref++) {
    const pin = table.pin[ref]!;
    if (pin !== pins[ref]) {
      const what = `grant ${ref} of domain ${granter.domid} has pins ${hex(pin >>> 0, 8)}, ` +
        `its mappings make ${hex(pins[ref]! >>> 0, 8)}`;
      violations.push({ rule: "pin-count", what });
    }
    if (!guestsBehave) continue;
    const bits = hv.mem.read16(table.statusWord(ref)) & (GTF_reading | GTF_writing);
    const wanted = (pin !== 0 ? GTF_reading : 0) | ((pin & GNTPIN_writing_mask) !== 0 ? GTF_writing : 0);
    // in a free entry that accepts a transfer, bit 3 says that the frame has come
    const isTransfer = () => (hv.mem.read16(table.entry(ref)) & GTF_type_mask) === GTF_accept_transfer;
    if (bits !== wanted && !(pin === 0 && isTransfer())) {
      const what = `grant ${ref} of domain ${granter.domid} shows ${hex(bits)}, its pins are ${
        hex(pin >>> 0, 8)
      }`;
      violations.push({ rule: "entry-bits", what });
    }
  }
}
