/**
 * Are the books of a block back end in order? What is counted is counted again: request structures, pages, handles,
 * grants in use, marks of foreign pages. Slow, for tests.
 *
 * @module
 */

import { xenPageForeign } from "../../linux/xen/page_foreign.ts";
import {
  BLKBACK_INVALID_HANDLE,
  type GrantPage,
  XEN_BLKIF_REQS_PER_PAGE,
  type XenBlkif,
  type XenBlkifRing,
} from "./xen_blkif.ts";

/** A broken rule. */
export interface BlkbackViolation {
  readonly rule: "requests" | "in-use" | "stock" | "foreign-mark" | "page-twice" | "ring-indices";
  readonly what: string;
}

/** All broken rules of a device; none if the books are in order. */
export function validateBlkback(blkif: XenBlkif): BlkbackViolation[] {
  const violations: BlkbackViolation[] = [];
  const seen = new Map<number, string>();
  for (const ring of blkif.rings) checkRing(ring, violations, seen);
  return violations;
}

/** Pages of dom0 that a device holds, and handles for them. Mapped requests are `inWork` segments. */
export function blkbackHoldings(blkif: XenBlkif): { pages: number; handles: number } {
  let pages = 0;
  let handles = 0;
  for (const ring of blkif.rings) {
    const mapped = ring.ringPages.length + ring.persistent.size + ring.purging + segmentsMapped(ring);
    handles += mapped;
    pages += mapped + ring.freePages.size;
  }
  return { pages, handles };
}

/** Segments of requests in work with a mapping of their own; those that wait for their unmap included. */
function segmentsMapped(ring: XenBlkifRing): number {
  let n = 0;
  for (const req of ring.allRequests) {
    n += req.unmapItem.isQueued ? req.unmapItem.batch.pages.length : 0;
    n += req.segments.filter(isMapped).length + req.indirectPages.filter(isMapped).length;
  }
  return n;
}

/** Mapped for this request alone. */
function isMapped({ handle, persistent }: GrantPage): boolean {
  return persistent === null && handle !== BLKBACK_INVALID_HANDLE;
}

function checkRing(ring: XenBlkifRing, violations: BlkbackViolation[], seen: Map<number, string>): void {
  const { id, blkif } = ring;
  const { memMap } = blkif.kernel.system;
  const add = (rule: BlkbackViolation["rule"], what: string) =>
    violations.push({ rule, what: `ring ${id}: ${what}` });
  const drains = ring.drained === null ? 0 : 1;
  const total = ring.pendingFree.length + ring.inflight + drains;
  if (total !== XEN_BLKIF_REQS_PER_PAGE * ring.nrPages) {
    add("requests", `${ring.pendingFree.length} free and ${ring.inflight} in work are not all`);
  }
  const waiting = ring.ring.reqCons - ring.ring.rspProdPvt >>> 0;
  if (waiting !== ring.inflight + drains) {
    add("ring-indices", `${waiting} requests without answer, ${ring.inflight} in work`);
  }
  const kept = ring.persistent.values();
  const active = kept.filter((gnt) => gnt.active).length;
  if (active !== ring.persistentInUse) {
    add("in-use", `${active} grants are in use, ${ring.persistentInUse} are counted`);
  }
  for (const page of ring.freePages.pages()) {
    if (memMap.refcount[page] !== 1) add("stock", `page ${page} has ${memMap.refcount[page]} references`);
    if (xenPageForeign(blkif.kernel, page) !== null) {
      add("foreign-mark", `page ${page} in stock is still foreign`);
    }
    claim(page, "stock");
  }
  for (const { gnt, page } of kept) {
    const foreign = xenPageForeign(blkif.kernel, page);
    if (foreign?.gref !== gnt || foreign.domid !== blkif.domid) {
      add("foreign-mark", `page ${page} is not marked as grant ${gnt} of domain ${blkif.domid}`);
    }
    claim(page, `kept grant ${gnt}`);
  }

  function claim(page: number, as: string): void {
    const before = seen.get(page);
    if (before !== undefined) add("page-twice", `page ${page} is ${before} and ${as}`);
    seen.set(page, as);
  }
}
