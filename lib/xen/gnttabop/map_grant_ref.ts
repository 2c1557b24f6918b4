/**
 * `GNTTABOP_map_grant_ref`: one operation. The numbers of the checks are those of the order in which Xen makes them;
 * the first one that fails answers, and everything done until then is undone.
 *
 * Left out: memory that is not RAM (a paravirtual granter cannot grant it: its frame does not resolve), IOMMU tables.
 *
 * @cite xen 4.17 xen/common/grant_table.c map_grant_ref
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  type GnttabMapGrantRef,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import { PGT_writable_page } from "../frame_table.ts";
import { readFrame } from "../grant_entry.ts";
import { word16, word32, word64 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { INVALID_MAPTRACK_HANDLE, NO_PTE } from "../maptrack.ts";
import { getPageType, putPageType } from "../mmu/page_type.ts";
import { GNTPIN_writing_mask, pinIncrement, pinOverflows } from "../pin.ts";
import { reduceStatus, setStatusV1 } from "../set_status.ts";
import {
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_bad_page,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
} from "../status.ts";

/** What the later steps need to know of the operation. */
interface MapRequest {
  granter: Domain;
  ref: number;
  flags: number;
  addr: number;
}

/** Maps one grant for `mapper`; the answer is in `op`. */
export function mapGrantRef(hv: Hypervisor, mapper: Domain, op: GnttabMapGrantRef): void {
  const flags = word32(op.flags);
  // 1: something to do
  if ((flags & (GNTMAP_device_map | GNTMAP_host_map)) === 0) {
    op.status = GNTST_bad_gntref;
    return;
  }
  // 2: what a translated mapper cannot have
  if (mapper.external && (flags & (GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte)) !== 0) {
    op.status = GNTST_general_error;
    return;
  }
  // 3: the granter; DOMID_SELF is no domain here
  const granter = hv.domainById(word16(op.dom));
  if (granter === undefined) {
    op.status = GNTST_bad_domain;
    return;
  }
  // 4: the security module
  if (!hv.flavour.xsm.grantMapref(mapper, granter)) {
    op.status = GNTST_permission_denied;
    return;
  }
  // 5: a handle
  const handle = mapper.maptrack.get(mapper.currentVcpu);
  if (handle === INVALID_MAPTRACK_HANDLE) {
    op.status = hv.flavour.mapNoHandle;
    return;
  }
  const request: MapRequest = { granter, ref: word32(op.ref), flags, addr: word64(op.host_addr) };
  op.status = pinAndMap(hv, mapper, request, handle);
  if (op.status !== GNTST_okay) {
    mapper.maptrack.put(handle);
    return;
  }
  op.handle = handle;
  op.dev_bus_addr = granter.grantTable.mfn[request.ref]! * PAGE_SIZE;
}

/** Steps 6 … 16, with the handle in hand. */
function pinAndMap(hv: Hypervisor, mapper: Domain, request: MapRequest, handle: number): number {
  const { granter, ref, flags } = request;
  const { locks } = hv.flavour;
  const table = granter.grantTable;
  const isReadonly = (flags & GNTMAP_readonly) !== 0;
  const increment = pinIncrement(flags);

  locks.grantReadLock(hv.trace);
  // 6: the reference
  if (ref >= table.nrEntries) return GNTST_bad_gntref;
  locks.activeEntryAcquire(hv.trace);
  const pin = table.pin[ref]!;
  // 7: a grant in use serves one domain, and a counter is never stepped past its top bit
  if (pin !== 0 && (table.domid[ref] !== mapper.domid || pinOverflows(pin, increment))) {
    return GNTST_general_error;
  }
  let hasReference = false;
  if (pin === 0 || !isReadonly && (pin & GNTPIN_writing_mask) === 0) {
    // 8: the entry itself
    const status = setStatusV1(hv, { granter, ref, user: mapper.domid, readonly: isReadonly, isMap: true });
    if (status !== GNTST_okay) return status;
    if (pin === 0) {
      // 9: the frame; a paravirtual granter's number is a machine frame, which must be its own
      const frame = readFrame(hv.mem, table.entry(ref));
      if (!hv.frames.getPage(frame, granter.domid)) {
        reduceStatus(hv, granter, ref, isReadonly);
        return GNTST_bad_page;
      }
      hasReference = true;
      table.mfn[ref] = frame;
      table.domid[ref] = mapper.domid;
    }
  }
  // 10: from here on the granter sees a use; both locks are dropped
  table.pin[ref] = pin + increment;

  const pte = takePage(hv, mapper, request, hasReference);
  if (pte === REFUSED) {
    locks.grantReadLock(hv.trace);
    locks.activeEntryAcquire(hv.trace);
    table.pin[ref]! -= increment;
    reduceStatus(hv, granter, ref, isReadonly);
    return GNTST_general_error;
  }
  // 15: no IOMMU tables here.  16: the mapping is known by its handle
  mapper.maptrack.fill(handle, { ref, domid: granter.domid, flags: flags & 0xffff, hostPte: pte });
  return GNTST_okay;
}

/** Answer of {@linkcode takePage} when the frame could not be pinned or mapped. */
const REFUSED = -3;

/**
 * Steps 11 … 14: references, types and the host mapping. Answers where the host mapping is, `NO_PTE` if there is
 * none, or `REFUSED` after dropping whatever it took.
 */
function takePage(hv: Hypervisor, mapper: Domain, request: MapRequest, hasReference: boolean): number {
  const { granter, flags } = request;
  const mfn = granter.grantTable.mfn[request.ref]!;
  const isWritable = (flags & GNTMAP_readonly) === 0;
  const isDevice = (flags & GNTMAP_device_map) !== 0;
  let refs = 1;
  let types = 0;
  // 11, 12: whose page it is by now
  const owner = hasReference ? hv.frames.owner(mfn) : hv.frames.getOwnerAndReference(mfn);
  if (owner !== granter.domid) {
    if (owner < 0) refs = 0;
    return refuse(hv, mfn, refs, types);
  }
  // 13: a device that writes, then a CPU that writes, each hold the frame as a writable page
  if (isDevice && isWritable) {
    if (getPageType(hv, mfn, PGT_writable_page) !== 0) return refuse(hv, mfn, refs, types);
    types++;
  }
  if ((flags & GNTMAP_host_map) === 0) return NO_PTE;
  if (isDevice) {
    if (!hv.frames.getPage(mfn, granter.domid)) return refuse(hv, mfn, refs, types);
    refs++;
  }
  if (hostMappingGetsPageType(isWritable, mapper, granter)) {
    if (getPageType(hv, mfn, PGT_writable_page) !== 0) return refuse(hv, mfn, refs, types);
    types++;
  }
  // 14: the mapping itself; a new mapping needs no flush
  const pte = mapper.hostMap.create(hv, mapper, { addr: request.addr, mfn, flags });
  if (pte >= 0) hv.frames.addGrantMaps(mfn, 1);
  return pte < 0 ? refuse(hv, mfn, refs, types) : pte;
}

/** Drops what {@linkcode takePage} took. */
function refuse(hv: Hypervisor, mfn: number, refs: number, types: number): number {
  while (types-- > 0) putPageType(hv, mfn);
  while (refs-- > 0) hv.frames.putPage(mfn);
  return REFUSED;
}

/**
 * Whether a host mapping counts as a use of the frame as writable page.
 *
 * @cite xen 4.17 xen/arch/x86/include/asm/grant_table.h gnttab_host_mapping_get_page_type
 */
export function hostMappingGetsPageType(isWritable: boolean, mapper: Domain, granter: Domain): boolean {
  return isWritable && (mapper === granter || !granter.external);
}
