/**
 * The in-use bits of an entry: set when a use begins (after the entry itself was checked), reduced when one ends.
 *
 * - Version 1: guest and hypervisor write the same word, so Xen compares and exchanges; a guest that keeps changing
 *   the word loses after five attempts.
 * - Version 2: Xen sets the bits in its own word, then looks at the entry a second time; if the guest changed its mind
 *   in between, the bits go again. A guest that revokes does it the other way round: entry first, then look at the bits.
 *
 * @cite xen 4.17 xen/common/grant_table.c _set_status
 * @module
 */

import {
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_sub_page,
  GTF_transitive,
  GTF_type_mask,
  GTF_writing,
} from "./abi.ts";
import type { Domain } from "./domain.ts";
import {
  clearFlags,
  cmpxchgHeader,
  domidOfHeader,
  flagsOfHeader,
  readHeader,
  setFlags,
} from "./grant_entry.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { GNTPIN_writing_mask } from "./pin.ts";
import { GNTST_general_error, GNTST_okay } from "./status.ts";

/** Attempts before a guest counts as misbehaving. */
const MAX_ATTEMPTS = 5;

/** A use that begins. */
export interface StatusRequest {
  readonly granter: Domain;
  readonly ref: number;
  /** Domid of the user. */
  readonly user: number;
  readonly readonly: boolean;
  /** A mapping, not a copy: a byte range or a grant of a grant does not do. */
  readonly isMap: boolean;
}

/**
 * Checks the entry and sets reading, and writing unless `readonly`. The entry's type and domid are looked at only
 * while nothing is pinned; `GTF_readonly` always.
 */
export function setStatus(hv: Hypervisor, request: StatusRequest): number {
  return request.granter.grantTable.version === 1 ? setStatusV1(hv, request) : setStatusV2(hv, request);
}

/** @cite xen 4.17 xen/common/grant_table.c _set_status_v1 */
function setStatusV1(hv: Hypervisor, request: StatusRequest): number {
  const { ref } = request;
  const table = request.granter.grantTable;
  const { mem } = hv;
  let entry = table.entryIndex(mem, ref);
  const isPinned = table.pin[ref] !== 0;
  const mask = request.isMap ? GTF_type_mask | GTF_sub_page : GTF_type_mask;
  let header = mem.words[entry]! >>> 0;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const flags = flagsOfHeader(header);
    if (!isPinned && ((flags & mask) !== GTF_permit_access || domidOfHeader(header) !== request.user)) {
      return GNTST_general_error;
    }
    let wanted = flags | GTF_reading;
    if (!request.readonly) {
      if ((flags & GTF_readonly) !== 0) return GNTST_general_error;
      wanted |= GTF_writing;
    }
    if (table.race !== null) {
      table.race(ref);
      entry = table.entryIndex(mem, ref);
    }
    const to = (header & 0xffff0000 | wanted) >>> 0;
    const found = cmpxchgHeader(mem, hv.trace, entry, header, to);
    if (found === header) return GNTST_okay;
    header = found;
  }
  return GNTST_general_error;
}

/** @cite xen 4.17 xen/common/grant_table.c _set_status_v2 */
function setStatusV2(hv: Hypervisor, request: StatusRequest): number {
  const { ref } = request;
  const table = request.granter.grantTable;
  const entry = table.entry(ref);
  let status = table.statusIndex(hv.mem, ref);
  const shift = table.statusShift(ref);
  const isPinned = table.pin[ref] !== 0;
  const header = readHeader(hv.mem, entry);
  if (!isPinned && !isOpenTo(header, request)) return GNTST_general_error;
  if (!request.readonly && (flagsOfHeader(header) & GTF_readonly) !== 0) return GNTST_general_error;
  setFlags(hv.mem, hv.trace, status, (request.readonly ? GTF_reading : GTF_reading | GTF_writing) << shift);
  if (table.race !== null) {
    table.race(ref);
    status = table.statusIndex(hv.mem, ref);
  }
  const again = readHeader(hv.mem, entry);
  const isReadonly = (flagsOfHeader(again) & GTF_readonly) !== 0;
  if (!isPinned && (!isOpenTo(again, request) || !request.readonly && isReadonly)) {
    clearFlags(hv.mem, hv.trace, status, (GTF_reading | GTF_writing) << shift);
    return GNTST_general_error;
  }
  if (isPinned && isReadonly) {
    clearFlags(hv.mem, hv.trace, status, GTF_writing << shift);
    return GNTST_general_error;
  }
  return GNTST_okay;
}

/** Type and domid let this user in. */
function isOpenTo(header: number, request: StatusRequest): boolean {
  const flags = flagsOfHeader(header);
  const type = flags & (request.isMap ? GTF_type_mask | GTF_sub_page : GTF_type_mask);
  return (type === GTF_permit_access || !request.isMap && type === GTF_transitive) &&
    domidOfHeader(header) === request.user;
}

/**
 * After a use ended or failed to begin: writing goes with the last writable pin (if this use was writable), reading
 * with the last pin.
 *
 * @cite xen 4.17 xen/common/grant_table.c reduce_status_for_pin
 */
export function reduceStatus(hv: Hypervisor, granter: Domain, ref: number, wasReadonly: boolean): void {
  const table = granter.grantTable;
  const pin = table.pin[ref]!;
  let bits = 0;
  if (!wasReadonly && (pin & GNTPIN_writing_mask) === 0) bits |= GTF_writing;
  if (pin === 0) bits |= GTF_reading;
  if (bits !== 0) {
    clearFlags(hv.mem, hv.trace, table.statusIndex(hv.mem, ref), bits << table.statusShift(ref));
  }
}
