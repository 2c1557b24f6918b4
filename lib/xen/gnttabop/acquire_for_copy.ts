/**
 * Pinning a grant for the time of a copy. As a map does it, and beyond that: byte ranges count, and an entry of
 * version 2 may pass on a grant of a third domain, one level deep.
 *
 * ```text
 *  caller ──► granter's entry (transitive) ──► inner domain's entry (names the granter) ──► frame
 *             pinned for the caller            pinned for the granter
 * ```
 *
 * The outer entry is let go while the inner one is pinned; if it changed meanwhile, all begins again.
 *
 * @cite xen 4.17 xen/common/grant_table.c acquire_grant_for_copy
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { GTF_sub_page, GTF_transitive, GTF_type_mask } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { NO_OWNER } from "../frame_table.ts";
import {
  flagsOfHeader,
  readHeader,
  readLength,
  readPageOffset,
  readTransDomid,
  readTransGref,
} from "../grant_entry.ts";
import type { CopyUse } from "../grant_table.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { GNTPIN_hstr_inc, GNTPIN_hstw_inc, GNTPIN_writing_mask, pinOverflows } from "../pin.ts";
import { reduceStatus, setStatus } from "../set_status.ts";
import { GNTST_bad_domain, GNTST_bad_gntref, GNTST_general_error, GNTST_okay } from "../status.ts";
import { entryFrameOf, getPagedFrame } from "./paged_frame.ts";

/** Which grant, for whom. */
export interface CopyRequest {
  readonly granter: Domain;
  readonly ref: number;
  /** Domid of the user. */
  readonly user: number;
  readonly readonly: boolean;
  readonly isMap: false;
  /** A grant of a grant will do. */
  readonly allowTransitive: boolean;
}

/** A grant pinned for a copy: the frame, with a reference, and the bytes that may be copied. */
export interface CopyGrant {
  readonly mfn: number;
  readonly start: number;
  readonly length: number;
}

/** Rounds of a transitive acquisition that a guest may spoil before we call it hostile; Xen goes on for ever. */
const MAX_ROUNDS = 64;

/** Pins a grant, or answers a negative `GNTST_*`. */
export function acquireGrantForCopy(hv: Hypervisor, request: CopyRequest): CopyGrant | number {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const result = acquireOnce(hv, request);
    if (result !== null) return result;
  }
  return GNTST_general_error;
}

/** One round; null: the entry changed, again. */
function acquireOnce(hv: Hypervisor, request: CopyRequest): CopyGrant | number | null {
  const { granter, ref, user } = request;
  const table = granter.grantTable;
  hv.flavour.locks.grantReadLock(hv.trace);
  if (ref >= table.nrEntries) return GNTST_bad_gntref;
  hv.flavour.locks.activeEntryAcquire(hv.trace);
  const pin = table.pin[ref]!;
  const increment = request.readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  if (pin !== 0 && (table.domid[ref] !== user || pinOverflows(pin, increment))) return GNTST_general_error;
  const flags = flagsOfHeader(readHeader(hv.mem, table.entry(ref)));
  const isTransitive = table.version === 2 && (flags & GTF_type_mask) === GTF_transitive;
  const needsStatus = pin === 0 || !request.readonly && (pin & GNTPIN_writing_mask) === 0;
  if (needsStatus) {
    const status = setStatus(hv, request);
    if (status !== GNTST_okay) return status;
  }
  if (isTransitive) return throughInner(hv, request);
  if (pin === 0) return firstUse(hv, request, flags);
  return furtherUse(hv, request, needsStatus ? flags : null);
}

/** An entry that nobody uses: the frame that it names now counts. */
function firstUse(hv: Hypervisor, request: CopyRequest, flags: number): CopyGrant | number {
  const { granter, ref } = request;
  const table = granter.grantTable;
  const mfn = getPagedFrame(hv, granter, entryFrameOf(hv, granter, ref));
  if (mfn < 0) {
    reduceStatus(hv, granter, ref, request.readonly);
    return mfn;
  }
  table.mfn[ref] = mfn;
  const range = rangeOf(hv, granter, ref, flags);
  if (range.isSubPage) {
    table.copies.set(ref, { ...range, srcDomid: granter.domid, transGref: ref });
  }
  return pinned(request, mfn, range);
}

/**
 * An entry in use: the recorded frame counts. Releases since 2026 look once more when a reader becomes a writer: the
 * entry must still name that frame and range.
 */
function furtherUse(hv: Hypervisor, request: CopyRequest, flags: number | null): CopyGrant | number {
  const { granter, ref } = request;
  const table = granter.grantTable;
  const mfn = table.mfn[ref]!;
  const use = table.copies.get(ref) ?? WHOLE_PAGE;
  if (flags !== null && hv.flavour.copyRechecksPinned && !stillNames(hv, request, flags, use)) {
    reduceStatus(hv, granter, ref, request.readonly);
    return GNTST_general_error;
  }
  if (hv.frames.getOwnerAndReference(mfn) === NO_OWNER) return GNTST_bad_domain;
  return pinned(request, mfn, use);
}

function stillNames(
  hv: Hypervisor,
  { granter, ref }: CopyRequest,
  flags: number,
  use: Pick<CopyUse, "start" | "length">,
): boolean {
  const mfn = getPagedFrame(hv, granter, entryFrameOf(hv, granter, ref));
  if (mfn < 0) return false;
  hv.frames.putPage(mfn);
  const range = rangeOf(hv, granter, ref, flags);
  return mfn === granter.grantTable.mfn[ref] && range.start === use.start && range.length === use.length;
}

const WHOLE_PAGE = { isSubPage: false, start: 0, length: PAGE_SIZE } as const;

/** The bytes that an entry grants; a range may lie about the page's end, copies are checked against the page first. */
function rangeOf(
  hv: Hypervisor,
  granter: Domain,
  ref: number,
  flags: number,
): { isSubPage: boolean; start: number; length: number } {
  const table = granter.grantTable;
  if (table.version === 1 || (flags & GTF_sub_page) === 0) return WHOLE_PAGE;
  const entry = table.entry(ref);
  return { isSubPage: true, start: readPageOffset(hv.mem, entry), length: readLength(hv.mem, entry) };
}

/** Steps the pin. */
function pinned(
  { granter, ref, user, readonly }: CopyRequest,
  mfn: number,
  range: { readonly start: number; readonly length: number },
): CopyGrant {
  const table = granter.grantTable;
  table.domid[ref] = user;
  table.pin[ref]! += readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  if (table.version === 2) table.nrV2Ops++;
  return { mfn, start: range.start, length: range.length };
}

/** The grant behind a transitive entry. */
function throughInner(hv: Hypervisor, request: CopyRequest): CopyGrant | number | null {
  const { granter, ref } = request;
  const table = granter.grantTable;
  const oldPin = table.pin[ref]!;
  const entry = table.entry(ref);
  const transDomid = readTransDomid(hv.mem, entry);
  const transGref = readTransGref(hv.mem, entry);
  const inner = hv.domainById(transDomid);
  if (!request.allowTransitive || transDomid === granter.domid || inner === undefined) {
    reduceStatus(hv, granter, ref, request.readonly);
    return GNTST_general_error;
  }
  const innerRequest = {
    ...request,
    granter: inner,
    ref: transGref,
    user: granter.domid,
    allowTransitive: false,
  };
  const grant = acquireGrantForCopy(hv, innerRequest);
  hv.flavour.locks.grantReadLock(hv.trace);
  hv.flavour.locks.activeEntryAcquire(hv.trace);
  if (typeof grant === "number") {
    reduceStatus(hv, granter, ref, request.readonly);
    return grant;
  }
  const use = { isSubPage: true, start: grant.start, length: grant.length, srcDomid: transDomid, transGref };
  if (!isUnchanged(request, oldPin, grant.mfn, use)) {
    releaseGrantForCopy(hv, inner, transGref, request.readonly);
    reduceStatus(hv, granter, ref, request.readonly);
    hv.frames.putPage(grant.mfn);
    return null;
  }
  table.mfn[ref] = grant.mfn;
  table.copies.set(ref, use);
  return pinned(request, grant.mfn, grant);
}

/** The outer entry is as it was before the inner one was pinned. */
function isUnchanged(
  { granter, ref, user }: CopyRequest,
  oldPin: number,
  mfn: number,
  use: CopyUse,
): boolean {
  const table = granter.grantTable;
  if (table.version !== 2 || table.pin[ref] !== oldPin) return false;
  if (oldPin === 0) return true;
  const now = table.copies.get(ref);
  return table.domid[ref] === user && table.mfn[ref] === mfn && now !== undefined &&
    now.start === use.start && now.length === use.length &&
    now.srcDomid === use.srcDomid && now.transGref === use.transGref;
}

/** Ends the use, and that of the grant behind it. The page's reference is the caller's. @cite xen 4.17 xen/common/grant_table.c release_grant_for_copy */
export function releaseGrantForCopy(hv: Hypervisor, granter: Domain, ref: number, readonly: boolean): void {
  const table = granter.grantTable;
  hv.flavour.locks.grantReadLock(hv.trace);
  hv.flavour.locks.activeEntryAcquire(hv.trace);
  const use = table.copies.get(ref);
  table.pin[ref]! -= readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  if (table.version === 2) table.nrV2Ops--;
  reduceStatus(hv, granter, ref, readonly);
  if (table.pin[ref] === 0) table.copies.delete(ref);
  if (use === undefined || use.srcDomid === granter.domid) return;
  const inner = hv.domainById(use.srcDomid);
  if (inner !== undefined) releaseGrantForCopy(hv, inner, use.transGref, readonly);
}
