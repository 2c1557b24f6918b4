/**
 * Connecting to a front end and letting go of it again: the pages of the rings are mapped by their grants, the event
 * channels bound, the threads started. What xenstore carries between the two ends is the argument here.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/xenbus.c connect_ring
 * @module
 */

import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { gnttabMapRefs, gnttabUnmapRefs } from "../../linux/xen/gnttab.ts";
import { GnttabPageCache } from "../../linux/xen/page_cache.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import { GNTMAP_host_map, type GnttabMapGrantRef } from "../../xen/abi.ts";
import { GNTST_okay } from "../../xen/status.ts";
import type { BlockDevice } from "../block/bio.ts";
import { BLKIF_ENTRY_BYTES } from "../blkif/blkif.ts";
import { BackRing } from "../ring/back_ring.ts";
import { RSP_PROD, SharedRing } from "../ring/shared_ring.ts";
import { freePersistentGnts } from "./purge.ts";
import { startTicking, xenBlkifSchedule } from "./schedule.ts";
import { safeUnmap, type UnmapPolicy } from "./unmap_policy.ts";
import { wakeRing } from "./wake.ts";
import {
  BLKBACK_INVALID_HANDLE,
  BLKBACK_PARAMETERS,
  type BlkbackParameters,
  type GrantPage,
  XenBlkif,
  XenBlkifRing,
} from "./xen_blkif.ts";

/** What a front end writes to xenstore of one ring. */
export interface RingReferences {
  /** `ring-ref`, one per page. */
  readonly ringRefs: readonly number[];
  /** `event-channel`: the port that waits for the back end. */
  readonly eventChannel: number;
}

/** What a front end writes to xenstore. */
export interface BlkfrontOffer {
  readonly domid: number;
  readonly rings: readonly RingReferences[];
  /** `feature-persistent`. */
  readonly persistent: boolean;
}

/** What the toolstack and the administrator decide. */
export interface BlkbackOptions {
  readonly device: BlockDevice;
  /** `feature-persistent` of this side. Default true. */
  readonly persistent?: boolean;
  readonly parameters?: Partial<BlkbackParameters>;
  /** Default: as since Linux 4.0. */
  readonly unmapPolicy?: UnmapPolicy;
  readonly isReadonly?: boolean;
}

/**
 * Connects. Errors: EINVAL for more queues or ring pages than allowed or an event channel that nobody offers; ENOMEM or
 * EINVAL where a page of a ring cannot be had or mapped; EIO where a ring's indices make no sense. After an error nothing
 * is left mapped.
 */
export function blkbackConnect(
  kernel: XenLinux,
  offer: BlkfrontOffer,
  options: BlkbackOptions,
): SysResult<XenBlkif> {
  const parameters = { ...BLKBACK_PARAMETERS, ...options.parameters };
  const { rings } = offer;
  if (rings.length === 0 || rings.length > parameters.max_queues) return fail("EINVAL");
  const persistent = offer.persistent && (options.persistent ?? true);
  const blkif = new XenBlkif(
    kernel,
    offer.domid,
    options.device,
    { persistent },
    parameters,
    options.unmapPolicy ?? safeUnmap,
    options.isReadonly ?? false,
  );
  for (const [id, references] of rings.entries()) {
    const errno = connectRing(blkif, id, references);
    if (errno === null) continue;
    blkbackDisconnect(blkif);
    return fail(errno);
  }
  return ok(blkif);
}

/** @cite linux 6.1 drivers/block/xen-blkback/xenbus.c xen_blkif_map */
function connectRing(blkif: XenBlkif, id: number, { ringRefs, eventChannel }: RingReferences): Errno | null {
  const { kernel, parameters } = blkif;
  const n = ringRefs.length;
  if (n === 0 || n > 2 ** parameters.max_ring_page_order || (n & n - 1) !== 0) return "EINVAL";
  const pages = mapRingPages(blkif, ringRefs);
  if (typeof pages === "string") return pages;
  const frames = pages.map(({ page }) => kernel.system.frameOf(page));
  const shared = new SharedRing(kernel.hv.mem, frames, BLKIF_ENTRY_BYTES);
  const back = new BackRing(shared, shared.index(RSP_PROD));
  const undo = (errno: Errno): Errno => {
    unmapRingPages(kernel, pages);
    return errno;
  };
  if (back.isProdOverflow(back.reqProd)) return undo("EIO");
  const port = kernel.evtchn.bindInterdomain(eventChannel, () => {
    const connected = blkif.rings[id];
    if (connected === undefined) return;
    connected.waitingReqs = true;
    if (connected.backOffUntil <= kernel.work.nowMs) wakeRing(connected);
  });
  if (port < 0) return undo("EINVAL");
  const ring = new XenBlkifRing(blkif, id, back, port, n);
  ring.ringPages.push(...pages);
  ring.thread = () => xenBlkifSchedule(ring);
  ring.isConnected = true;
  ring.waitingReqs = true;
  blkif.rings.push(ring);
  wakeRing(ring);
  startTicking(ring);
  return null;
}

/** @cite linux 6.1 drivers/xen/xenbus/xenbus_client.c xenbus_map_ring_valloc */
function mapRingPages(blkif: XenBlkif, ringRefs: readonly number[]): GrantPage[] | Errno {
  const { kernel, domid } = blkif;
  const cache = new GnttabPageCache(kernel);
  const pages = ringRefs.map((gref) => ({
    page: cache.get(),
    gref,
    handle: BLKBACK_INVALID_HANDLE,
    persistent: null,
  }));
  const isShort = pages.some(({ page }) => page < 0);
  const mapOps: GnttabMapGrantRef[] = isShort ? [] : pages.map(({ page, gref }) => ({
    host_addr: kernel.guest.hostAddress(kernel, page),
    flags: GNTMAP_host_map,
    ref: gref,
    dom: domid,
    status: 1,
    handle: 0,
    dev_bus_addr: 0,
  }));
  if (!isShort) gnttabMapRefs(kernel, { mapOps, kmapOps: [], pages: pages.map(({ page }) => page) });
  mapOps.forEach(({ status, handle }, i) => {
    if (status === GNTST_okay) pages[i]!.handle = handle;
  });
  if (!isShort && mapOps.every(({ status }) => status === GNTST_okay)) return pages;
  unmapRingPages(kernel, pages.filter(({ page }) => page >= 0));
  return isShort ? "ENOMEM" : "EINVAL";
}

function unmapRingPages(kernel: XenLinux, pages: readonly GrantPage[]): void {
  const mapped = pages.filter(({ handle }) => handle !== BLKBACK_INVALID_HANDLE);
  if (mapped.length > 0) {
    gnttabUnmapRefs(kernel, {
      unmapOps: mapped.map(({ page, handle }) => ({
        host_addr: kernel.guest.hostAddress(kernel, page),
        dev_bus_addr: 0,
        handle,
        status: 1,
      })),
      kunmapOps: [],
      pages: mapped.map(({ page }) => page),
    });
  }
  kernel.frameSource.free(pages.map(({ page }) => page));
}

/**
 * Lets go of a front end: EBUSY while requests are in work or kept grants are still held; call it again then.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/xenbus.c xen_blkif_disconnect
 */
export function blkbackDisconnect(blkif: XenBlkif): SysResult<0> {
  const { kernel } = blkif;
  let isBusy = false;
  for (const ring of blkif.rings) {
    if (ring.isConnected) {
      ring.isConnected = false;
      kernel.evtchn.put(ring.port);
    }
    if (ring.inflight > 0) {
      isBusy = true;
      continue;
    }
    if (ring.purging === 0) freePersistentGnts(ring);
    if (ring.purging > 0) {
      isBusy = true;
      continue;
    }
    ring.freePages.shrink(0);
    unmapRingPages(kernel, ring.ringPages.splice(0));
  }
  return isBusy ? fail("EBUSY") : ok(0);
}
