/**
 * Mapping the pages of a request at kernel addresses: from the kept grants where one is there, else in hypercalls of up
 * to eleven operations. A page that cannot be mapped fails the request, but what was mapped before it is remembered, so
 * that it can be undone.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c xen_blkbk_map
 * @module
 */

import { gnttabMapRefs } from "../../linux/xen/gnttab.ts";
import { GNTMAP_host_map, GNTMAP_readonly, type GnttabMapGrantRef } from "../../xen/abi.ts";
import { GNTST_okay } from "../../xen/status.ts";
import { BLKIF_MAX_SEGMENTS_PER_REQUEST } from "../blkif/blkif.ts";
import { addPersistentGnt, getPersistentGnt } from "./persistent_gnt.ts";
import { BLKBACK_INVALID_HANDLE, type GrantPage, type XenBlkifRing } from "./xen_blkif.ts";

/** The kernel does not touch what it maps for a device; the second half is for those who do. */
const NO_KMAP: readonly GnttabMapGrantRef[] = Object.freeze([]);

/**
 * Maps the first `num` pages by their `gref`.
 *
 * @param ro the guest's page will only be read. Honoured only without persistence: a kept mapping must do for both.
 * @returns true if all are mapped
 */
export function xenBlkbkMap(
  ring: XenBlkifRing,
  pages: readonly GrantPage[],
  num: number,
  ro: boolean,
): boolean {
  for (let i = 0; i < num; i++) {
    pages[i]!.handle = BLKBACK_INVALID_HANDLE;
    pages[i]!.persistent = null;
  }
  let isOkay = true;
  for (let from = 0; isOkay && from < num;) {
    const until = mapGroup(ring, pages, from, num, ro);
    isOkay = until > 0;
    from = until;
  }
  return isOkay;
}

/** One hypercall's worth: answers where the next group begins, or 0 if a page of this one could not be mapped. */
function mapGroup(
  ring: XenBlkifRing,
  pages: readonly GrantPage[],
  from: number,
  num: number,
  ro: boolean,
): number {
  const { kernel, features, domid } = ring.blkif;
  const mapOps: GnttabMapGrantRef[] = [];
  const pagesToGnt: number[] = [];
  const flags = GNTMAP_host_map | (!features.persistent && ro ? GNTMAP_readonly : 0);
  let until = from;
  while (until < num && mapOps.length < BLKIF_MAX_SEGMENTS_PER_REQUEST) {
    const page = pages[until]!;
    const kept = features.persistent ? getPersistentGnt(ring, page.gref) : null;
    page.persistent = kept;
    if (kept !== null) page.page = kept.page;
    else {
      page.page = ring.freePages.get();
      if (page.page < 0) {
        // Pages taken for this group go back; grants found for it stay marked until the request is undone.
        ring.freePages.put(pagesToGnt);
        return 0;
      }
      pagesToGnt.push(page.page);
      const host_addr = kernel.guest.hostAddress(kernel, page.page);
      mapOps.push({ host_addr, flags, ref: page.gref, dom: domid, status: 1, handle: 0, dev_bus_addr: 0 });
    }
    until++;
  }
  if (mapOps.length === 0) return until;
  const rc = gnttabMapRefs(kernel, { mapOps, kmapOps: NO_KMAP, pages: pagesToGnt });
  const isOkay = takeResults(ring, pages, from, until, mapOps);
  return rc === 0 && isOkay ? until : 0;
}

/** Handles of what was mapped, pages of what was not back to the stock. True if all were mapped. */
function takeResults(
  ring: XenBlkifRing,
  pages: readonly GrantPage[],
  from: number,
  until: number,
  mapOps: readonly GnttabMapGrantRef[],
): boolean {
  const { blkif } = ring;
  let isOkay = true;
  let next = 0;
  for (let i = from; i < until; i++) {
    const page = pages[i]!;
    if (page.persistent !== null) continue;
    const op = mapOps[next++]!;
    if (op.status !== GNTST_okay) {
      ring.freePages.put([page.page]);
      isOkay = false;
      continue;
    }
    page.handle = op.handle;
    if (!blkif.features.persistent) continue;
    if (ring.persistent.size < blkif.parameters.max_persistent_grants) {
      page.persistent = addPersistentGnt(ring, page);
    } else blkif.overflowMaxGrants = true;
  }
  return isOkay;
}
