/**
 * `GNTTABOP_map_grant_ref`. The numbers of the checks are those of the order in which Xen makes them; the first one that
 * fails answers, and everything done until then is undone.
 *
 * Left out: memory that is not RAM (a granter cannot grant it here: its frame does not resolve), IOMMU tables.
 *
 * @cite xen 4.17 xen/common/grant_table.c map_grant_ref
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  type GnttabMapGrantRef,
  GNTTABOP_map_grant_ref,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import { PGT_writable_page } from "../frame_table.ts";
import { word16, word32, word64 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { INVALID_MAPTRACK_HANDLE, NO_PTE } from "../maptrack.ts";
import { getPageTypeOf, putPageTypeOf } from "../mmu/page_type.ts";
import { GNTPIN_writing_mask, pinIncrement, pinOverflows } from "../pin.ts";
import { preemptPoint } from "../preemption.ts";
import type { MapRequest } from "../scratch.ts";
import { reduceStatus, setStatus } from "../set_status.ts";
import {
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
} from "../status.ts";
import { entryFrameOf, getPagedFrame } from "./paged_frame.ts";

/** Maps a list; 0 or -errno. @cite xen 4.17 xen/common/grant_table.c gnttab_map_grant_ref */
export function gnttabMapGrantRef(
  hv: Hypervisor,
  mapper: Domain,
  ops: readonly (GnttabMapGrantRef | null)[],
): number {
  const { map } = hv.scratch;
  for (let i = 0; i < ops.length; i++) {
    if (i > 0 && hv.preemption !== null) {
      preemptPoint(hv, mapper, { cmd: GNTTABOP_map_grant_ref, done: i });
    }
    const op = ops[i];
    if (op === null || typeof op !== "object") return -ERRNO.EFAULT;
    hv.trace.one(EV.gnttab_op);
    map.reset(word16(op.dom), word32(op.ref), word32(op.flags), word64(op.host_addr));
    mapGrantRef(hv, mapper, map);
    op.status = map.status;
    if (map.status !== GNTST_okay) continue;
    op.handle = map.handle;
    op.dev_bus_addr = map.mfn * PAGE_SIZE;
  }
  return 0;
}

/** Maps one grant for `mapper`; the answer is in the request. */
export function mapGrantRef(hv: Hypervisor, mapper: Domain, request: MapRequest): void {
  const { flags } = request;
  // 1: something to do
  if ((flags & (GNTMAP_device_map | GNTMAP_host_map)) === 0) {
    request.status = GNTST_bad_gntref;
    return;
  }
  // 2: what a translated mapper cannot have
  if (mapper.external && (flags & (GNTMAP_device_map | GNTMAP_application_map | GNTMAP_contains_pte)) !== 0) {
    request.status = GNTST_general_error;
    return;
  }
  // 3: the granter; DOMID_SELF is no domain here
  const granter = hv.domainById(request.domid);
  if (granter === undefined) {
    request.status = GNTST_bad_domain;
    return;
  }
  // 4: the security module
  if (!hv.flavour.xsm.grantMapref(mapper, granter)) {
    request.status = GNTST_permission_denied;
    return;
  }
  // 5: a handle
  const handle = mapper.maptrack.get(mapper.currentVcpu);
  if (handle === INVALID_MAPTRACK_HANDLE) {
    request.status = hv.flavour.mapNoHandle;
    return;
  }
  request.granter = granter;
  request.user = mapper.domid;
  request.readonly = (flags & GNTMAP_readonly) !== 0;
  request.status = pinAndMap(hv, mapper, request);
  if (request.status !== GNTST_okay) {
    mapper.maptrack.put(handle);
    return;
  }
  // 15: no IOMMU tables here.  16: the mapping is known by its handle
  mapper.maptrack.fill(handle, request);
  request.handle = handle;
}

/** Steps 6 … 14. */
function pinAndMap(hv: Hypervisor, mapper: Domain, request: MapRequest): number {
  const { granter, ref, flags } = request;
  const isReadonly = request.readonly;
  const { locks } = hv.flavour;
  const table = granter.grantTable;
  const increment = pinIncrement(flags);

  locks.grantReadLock(hv.trace);
  // 6: the reference
  if (ref >= table.nrEntries) return GNTST_bad_gntref;
  locks.activeEntryAcquire(hv.trace);
  const pin = table.pin[ref]!;
  // 7: a grant in use serves one domain and whole pages, and a counter is never stepped past its top bit
  if (
    pin !== 0 &&
    (table.domid[ref] !== mapper.domid || pinOverflows(pin, increment) || isPartialUse(granter, ref))
  ) {
    return GNTST_general_error;
  }
  let hasReference = false;
  if (pin === 0 || !isReadonly && (pin & GNTPIN_writing_mask) === 0) {
    // 8: the entry itself
    const status = setStatus(hv, request);
    if (status !== GNTST_okay) return status;
    if (pin === 0) {
      // 9: the frame
      const frame = getPagedFrame(hv, granter, entryFrameOf(hv, granter, ref));
      if (frame < 0) {
        reduceStatus(hv, granter, ref, isReadonly);
        return frame;
      }
      hasReference = true;
      table.mfn[ref] = frame;
      table.domid[ref] = mapper.domid;
    }
  }
  // 10: from here on the granter sees a use; both locks are dropped
  table.pin[ref] = pin + increment;
  request.mfn = table.mfn[ref]!;
  request.row = hv.frames.rowThere(request.mfn);

  if (takePage(hv, mapper, request, hasReference)) return GNTST_okay;
  locks.grantReadLock(hv.trace);
  locks.activeEntryAcquire(hv.trace);
  table.pin[ref]! -= increment;
  reduceStatus(hv, granter, ref, isReadonly);
  return GNTST_general_error;
}

/** A running copy uses part of the page, or a grant of a grant: no mapping beside it. */
function isPartialUse(granter: Domain, ref: number): boolean {
  const { copies } = granter.grantTable;
  return copies.size > 0 && copies.get(ref)?.isSubPage === true;
}

/**
 * Steps 11 … 14: references, types and the host mapping. Sets where the host mapping is, `NO_PTE` if there is none;
 * false if the frame could not be pinned or mapped, after dropping whatever was taken.
 */
function takePage(hv: Hypervisor, mapper: Domain, request: MapRequest, hasReference: boolean): boolean {
  const { granter, flags, row } = request;
  const { info } = hv.frames;
  const isWritable = !request.readonly;
  const isDevice = (flags & GNTMAP_device_map) !== 0;
  let refs = 1;
  let types = 0;
  // 11, 12: whose page it is by now
  const owner = hasReference ? info.owner(row) : info.getOwnerAndReference(row);
  if (owner !== granter.domid) {
    if (owner < 0) refs = 0;
    return refuse(hv, row, refs, types);
  }
  // 13: a device that writes, then a CPU that writes, each hold the frame as a writable page
  if (isDevice && isWritable) {
    if (getPageTypeOf(hv, row, PGT_writable_page) !== 0) return refuse(hv, row, refs, types);
    types++;
  }
  request.hostPte = NO_PTE;
  if ((flags & GNTMAP_host_map) === 0) return true;
  if (isDevice) {
    if (!info.getPage(row, granter.domid)) return refuse(hv, row, refs, types);
    refs++;
  }
  if (hostMappingGetsPageType(isWritable, mapper, granter)) {
    if (getPageTypeOf(hv, row, PGT_writable_page) !== 0) return refuse(hv, row, refs, types);
    types++;
  }
  // 14: the mapping itself; a new mapping needs no flush
  if (!mapper.hostMap.create(hv, mapper, request)) return refuse(hv, row, refs, types);
  if (!mapper.external) info.addGrantMaps(row, 1);
  return true;
}

/** Drops what {@linkcode takePage} took. */
function refuse(hv: Hypervisor, row: number, refs: number, types: number): boolean {
  while (types-- > 0) putPageTypeOf(hv, row);
  while (refs-- > 0) hv.frames.info.putPage(row);
  return false;
}

/**
 * Whether a host mapping counts as a use of the frame as writable page.
 *
 * @cite xen 4.17 xen/arch/x86/include/asm/grant_table.h gnttab_host_mapping_get_page_type
 */
export function hostMappingGetsPageType(isWritable: boolean, mapper: Domain, granter: Domain): boolean {
  return isWritable && (mapper === granter || !granter.external);
}
