/**
 * The in-use bits of a version-1 entry: set when a use begins (after the entry itself was checked), reduced when one
 * ends. Guest and hypervisor write the same word, so Xen compares and exchanges; a guest that keeps changing the word
 * loses after five attempts.
 *
 * @cite xen 4.17 xen/common/grant_table.c _set_status_v1
 * @module
 */

import {
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_sub_page,
  GTF_type_mask,
  GTF_writing,
} from "./abi.ts";
import type { Domain } from "./domain.ts";
import { clearFlags, cmpxchgHeader, domidOfHeader, flagsOfHeader, readHeader } from "./grant_entry.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { GNTPIN_writing_mask } from "./pin.ts";
import { GNTST_general_error, GNTST_okay } from "./status.ts";

/** Attempts before a guest counts as misbehaving. */
const MAX_ATTEMPTS = 5;

/** A use that begins. */
export interface StatusRequest {
  granter: Domain;
  ref: number;
  /** Domid of the user. */
  user: number;
  readonly: boolean;
  /** A mapping, not a copy: a byte range does not do. */
  isMap: boolean;
}

/**
 * Checks the entry and sets reading, and writing unless `readonly`. The entry's type and domid are looked at only
 * while nothing is pinned; `GTF_readonly` always.
 */
export function setStatusV1(hv: Hypervisor, request: Readonly<StatusRequest>): number {
  const { granter, ref } = request;
  const table = granter.grantTable;
  const entry = table.entry(ref);
  const isPinned = table.pin[ref] !== 0;
  const mask = request.isMap ? GTF_type_mask | GTF_sub_page : GTF_type_mask;
  let header = readHeader(hv.mem, entry);
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
    if (table.race !== null) table.race(ref);
    const to = (header & 0xffff0000 | wanted) >>> 0;
    const found = cmpxchgHeader(hv.mem, hv.trace, entry, header, to);
    if (found === header) return GNTST_okay;
    header = found;
  }
  return GNTST_general_error;
}

/**
 * After a use ended or failed to begin: writing goes with the last writable pin (if this use was writable), reading
 * with the last pin.
 *
 * @cite xen 4.17 xen/common/grant_table.c unmap_common_complete
 */
export function reduceStatus(hv: Hypervisor, granter: Domain, ref: number, wasReadonly: boolean): void {
  const pin = granter.grantTable.pin[ref]!;
  let bits = 0;
  if (!wasReadonly && (pin & GNTPIN_writing_mask) === 0) bits |= GTF_writing;
  if (pin === 0) bits |= GTF_reading;
  if (bits !== 0) clearFlags(hv.mem, hv.trace, granter.grantTable.entry(ref), bits);
}
