/**
 * `GNTTABOP_copy`: bytes from a frame to a frame, each named by grant or, of the caller's own, by number. No mapping, no
 * handle, no TLB flush.
 *
 * Consecutive operations share work: a side's page stays pinned while the next operation names the same domain and the
 * same grant or frame. Another domain on either side lets both go, and so do an error, an interruption and the end.
 *
 * Left out: marks for log-dirty mode.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_copy
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { type Maddr, maddrOf, type Mfn } from "../../core/frames.ts";
import { EV } from "../../trace/events.ts";
import type { PhysMem } from "../../x86/phys_mem.ts";
import {
  DOMID_SELF,
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  type GnttabCopy,
  type GnttabCopyPtr,
  GNTTABOP_copy,
} from "../abi.ts";
import type { Domain } from "../domain.ts";
import { PGT_writable_page } from "../frame_table.ts";
import { word16, word32, word64 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { getPageType, putPageType } from "../mmu/page_type.ts";
import { preemptPoint } from "../preemption.ts";
import {
  GNTST_bad_copy_arg,
  GNTST_bad_domain,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
} from "../status.ts";
import { acquireGrantForCopy, releaseGrantForCopy } from "./acquire_for_copy.ts";
import { getPagedFrame } from "./paged_frame.ts";

/** What one side holds from operation to operation. @cite xen 4.17 xen/common/grant_table.c gnttab_copy_buf */
interface CopySide {
  readonly gref: number;
  readonly readonly: boolean;
  domain: Domain | null;
  domid: number;
  /** The page, -1 if none is held. */
  mfn: number;
  hasGrant: boolean;
  /** Reference or frame number that led to it. */
  name: number;
  start: number;
  length: number;
}

function side(gref: number): CopySide {
  const isSource = gref === GNTCOPY_source_gref;
  return {
    gref,
    readonly: isSource,
    domain: null,
    domid: -1,
    mfn: -1,
    hasGrant: false,
    name: 0,
    start: 0,
    length: 0,
  };
}

/** Copies a list; 0 or -errno. */
export function gnttabCopy(hv: Hypervisor, caller: Domain, ops: readonly (GnttabCopy | null)[]): number {
  const source = side(GNTCOPY_source_gref);
  const dest = side(GNTCOPY_dest_gref);
  let rc = 0;
  for (let i = 0; i < ops.length; i++) {
    if (i > 0 && hv.preemption !== null) {
      preemptPoint(hv, caller, { cmd: GNTTABOP_copy, done: i }, () => releaseBoth(hv, source, dest));
    }
    const op = ops[i];
    if (!isReadable(op)) {
      rc = -ERRNO.EFAULT;
      break;
    }
    hv.trace.one(EV.gnttab_op);
    op.status = copyOne(hv, caller, op, source, dest);
    if (op.status !== GNTST_okay || !hv.flavour.copyKeepsPages) releaseBoth(hv, source, dest);
  }
  releaseBoth(hv, source, dest);
  return rc;
}

function isReadable(op: GnttabCopy | null | undefined): op is GnttabCopy {
  return typeof op === "object" && op !== null && typeof op.source === "object" && op.source !== null &&
    typeof op.dest === "object" && op.dest !== null;
}

/** @cite xen 4.17 xen/common/grant_table.c gnttab_copy_one */
function copyOne(hv: Hypervisor, caller: Domain, op: GnttabCopy, source: CopySide, dest: CopySide): number {
  const len = word16(op.len);
  const flags = word16(op.flags);
  if (len === 0 && hv.flavour.copyIgnoresEmpty) return GNTST_okay;
  const found = findDomains(hv, caller, op, flags, source, dest);
  if (found !== GNTST_okay) return found;
  const from = claim(hv, caller, op.source, flags, source);
  if (from !== GNTST_okay) return from;
  const to = claim(hv, caller, op.dest, flags, dest);
  if (to !== GNTST_okay) return to;
  const at = word16(op.source.offset);
  const into = word16(op.dest.offset);
  if (at + len > PAGE_SIZE || into + len > PAGE_SIZE) return GNTST_bad_copy_arg;
  if (!isInside(source, at, len) || !isInside(dest, into, len)) return GNTST_general_error;
  hv.trace.add(EV.xen_copy_bytes, len);
  copyBytes(hv.mem, maddrOf(dest.mfn as Mfn, into), maddrOf(source.mfn as Mfn, at), len);
  return GNTST_okay;
}

function isInside(of: CopySide, offset: number, len: number): boolean {
  return offset >= of.start && offset + len <= of.start + of.length;
}

/** Both domains, source first. @cite xen 4.17 xen/common/grant_table.c gnttab_copy_lock_domains */
function findDomains(
  hv: Hypervisor,
  caller: Domain,
  op: GnttabCopy,
  flags: number,
  source: CopySide,
  dest: CopySide,
): number {
  const sourceId = word16(op.source.domid);
  const destId = word16(op.dest.domid);
  if (source.domid !== sourceId || dest.domid !== destId) releaseBoth(hv, source, dest);
  for (const { of, domid } of [{ of: source, domid: sourceId }, { of: dest, domid: destId }]) {
    if (domid !== DOMID_SELF && (flags & of.gref) === 0) return GNTST_permission_denied;
    const domain = hv.domainByAnyId(domid, caller);
    if (domain === undefined) return GNTST_bad_domain;
    of.domain = domain;
    of.domid = domid;
  }
  return hv.flavour.xsm.grantCopy(source.domain!, dest.domain!) ? GNTST_okay : GNTST_permission_denied;
}

/** Makes a side hold the page that the operation names. @cite xen 4.17 xen/common/grant_table.c gnttab_copy_claim_buf */
function claim(hv: Hypervisor, caller: Domain, ptr: GnttabCopyPtr, flags: number, of: CopySide): number {
  const hasGrant = (flags & of.gref) !== 0;
  const name = hasGrant ? word32(ptr.ref ?? ptr.gmfn ?? 0) : word64(ptr.gmfn ?? ptr.ref ?? 0);
  if (of.mfn >= 0 && of.hasGrant === hasGrant && of.name === name) return GNTST_okay;
  release(hv, of);
  const domain = of.domain!;
  if (hasGrant) {
    const grant = acquireGrantForCopy(hv, {
      granter: domain,
      ref: name,
      user: caller.domid,
      readonly: of.readonly,
      isMap: false,
      allowTransitive: hv.flavour.transitiveGrants,
    });
    if (typeof grant === "number") return grant;
    of.mfn = grant.mfn;
    of.start = grant.start;
    of.length = grant.length;
  } else {
    const mfn = getPagedFrame(hv, domain, name);
    if (mfn < 0) return mfn;
    of.mfn = mfn;
    of.start = 0;
    of.length = PAGE_SIZE;
  }
  of.hasGrant = hasGrant;
  of.name = name;
  if (of.readonly || getPageType(hv, of.mfn, PGT_writable_page) === 0) return GNTST_okay;
  dropPage(hv, of);
  return GNTST_general_error;
}

/** Lets go of what a side holds. */
function release(hv: Hypervisor, of: CopySide): void {
  if (of.mfn < 0) return;
  if (!of.readonly) putPageType(hv, of.mfn);
  dropPage(hv, of);
}

function dropPage(hv: Hypervisor, of: CopySide): void {
  if (of.hasGrant) releaseGrantForCopy(hv, of.domain!, of.name, of.readonly);
  hv.frames.putPage(of.mfn);
  of.mfn = -1;
}

function releaseBoth(hv: Hypervisor, source: CopySide, dest: CopySide): void {
  release(hv, source);
  release(hv, dest);
  source.domid = -1;
  dest.domid = -1;
}

/** Copies bytes inside machine memory; what was never written reads as zero. */
function copyBytes(mem: PhysMem, to: Maddr, from: Maddr, len: number): void {
  // the source first: a destination that is made on the way may move the pool, but not the bytes
  const bytes = new Uint8Array(len);
  for (let i = 0; i < len; i++) bytes[i] = mem.read8((from + i) as Maddr);
  for (let i = 0; i < len; i++) mem.write8((to + i) as Maddr, bytes[i]!);
}
