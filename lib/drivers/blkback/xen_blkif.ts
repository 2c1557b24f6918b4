/**
 * What the block back end keeps: a device per front end, a ring per queue, and per ring the requests in work, the stock
 * of pages and the grants that stay mapped.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/common.h xen_blkif_ring
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import type { UnmapItem } from "../../linux/xen/gnttab.ts";
import { GnttabPageCache } from "../../linux/xen/page_cache.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import type { BioVec, BlockDevice } from "../block/bio.ts";
import { BlkifRequest } from "../blkif/blkif.ts";
import type { BackRing } from "../ring/back_ring.ts";
import { GrefTree } from "./gref_tree.ts";
import type { UnmapPolicy } from "./unmap_policy.ts";
import { blkbackView, blkRingView } from "./views/blkback_view.ts";

/** Module parameters, in the kernel's words. @cite linux 6.1 drivers/block/xen-blkback/blkback.c max_pgrants */
export interface BlkbackParameters {
  /** Grants that a ring keeps mapped. */
  readonly max_persistent_grants: number;
  /** Seconds after which a kept grant that nobody used is given back; 0: never. */
  readonly persistent_grant_unused_seconds: number;
  /** Pages that a ring keeps in stock. */
  readonly max_buffer_pages: number;
  /** Milliseconds for which the stock is kept empty after the kernel was short of memory. */
  readonly buffer_squeeze_duration_ms: number;
  /** Rings of a device. Linux: as many as there are CPUs. */
  readonly max_queues: number;
  /** log2 of the pages of a ring. */
  readonly max_ring_page_order: number;
}

/** As Linux sets them, on a dom0 of four CPUs. */
export const BLKBACK_PARAMETERS: BlkbackParameters = Object.freeze({
  max_persistent_grants: 1056,
  persistent_grant_unused_seconds: 60,
  max_buffer_pages: 1024,
  buffer_squeeze_duration_ms: 10,
  max_queues: 4,
  max_ring_page_order: 4,
});

/** Milliseconds between two looks at the grants that are kept. @cite linux 6.1 drivers/block/xen-blkback/blkback.c LRU_INTERVAL */
export const LRU_INTERVAL = 100;

/** Of the maximum, given back at once when it is exceeded, in per cent. @cite linux 6.1 drivers/block/xen-blkback/blkback.c LRU_PERCENT_CLEAN */
export const LRU_PERCENT_CLEAN = 5;

/** Segments of an indirect request that are accepted. @cite linux 6.1 drivers/block/xen-blkback/common.h MAX_INDIRECT_SEGMENTS */
export const MAX_INDIRECT_SEGMENTS = 256;

/** Requests in work per page of the ring. @cite linux 6.1 drivers/block/xen-blkback/common.h XEN_BLKIF_REQS_PER_PAGE */
export const XEN_BLKIF_REQS_PER_PAGE = 32;

/** Milliseconds that the thread sleeps after a request that it refused. @cite linux 6.1 drivers/block/xen-blkback/blkback.c dispatch_rw_block_io */
export const BACK_OFF_MS = 1;

/** No handle. @cite linux 6.1 drivers/block/xen-blkback/blkback.c BLKBACK_INVALID_HANDLE */
export const BLKBACK_INVALID_HANDLE = 0xffff_ffff;

/** A grant that stays mapped. @cite linux 6.1 drivers/block/xen-blkback/common.h persistent_gnt */
export interface PersistentGnt {
  readonly gnt: number;
  readonly handle: number;
  readonly page: number;
  /** Some request uses it. */
  active: boolean;
  /** When a request last gave it up, in milliseconds. */
  lastUsed: number;
}

/** A segment's page. @cite linux 6.1 drivers/block/xen-blkback/common.h grant_page */
export interface GrantPage {
  page: number;
  gref: number;
  handle: number;
  persistent: PersistentGnt | null;
}

/** A request in work: made once, used again and again. @cite linux 6.1 drivers/block/xen-blkback/common.h pending_req */
export class PendingReq {
  idLo = 0;
  idHi = 0;
  operation = 0;
  status = 0;
  nrSegs = 0;
  /** When it was taken from the ring, in milliseconds. */
  startMs = 0;
  /** As many as any request had so far. */
  readonly segments: GrantPage[] = [];
  readonly indirectPages: GrantPage[] = [];
  /** Part of the page that a segment means. */
  readonly seg: BioVec[] = [];
  readonly unmapItem: UnmapItem;

  constructor() {
    const batch = { unmapOps: [], kunmapOps: [], pages: [] };
    this.unmapItem = { batch, done: () => {}, age: 0, isQueued: false };
  }

  /** Makes room for `n` segments. */
  reserve(n: number): void {
    while (this.segments.length < n) {
      this.segments.push(noGrantPage());
      this.seg.push({ page: 0, offset: 0, length: 0 });
    }
  }
}

/** A page that stands for nothing yet. */
export function noGrantPage(): GrantPage {
  return { page: -1, gref: 0, handle: BLKBACK_INVALID_HANDLE, persistent: null };
}

/** Counters of a ring since it was connected. */
export interface BlkRingStats {
  /** Reads, writes, flushes and barriers, discards. */
  rd: number;
  wr: number;
  f: number;
  ds: number;
  /** Times that no request structure was free. */
  oo: number;
  /** Responses by status. */
  okay: number;
  error: number;
  eopnotsupp: number;
  /** Responses that waited because somebody held a page, and the longest wait from request to response in ms. */
  deferred: number;
  longestMs: number;
  /** Persistent grants found, put in, and given back. */
  hits: number;
  kept: number;
  purged: number;
}

/** One queue. @cite linux 6.1 drivers/block/xen-blkback/common.h xen_blkif_ring */
export class XenBlkifRing extends Shown {
  readonly request: BlkifRequest = new BlkifRequest();
  /** Where the ring's own pages are mapped. */
  readonly ringPages: GrantPage[] = [];
  readonly pendingFree: PendingReq[] = [];
  /** Free or in work. */
  readonly allRequests: readonly PendingReq[];
  readonly freePages: GnttabPageCache;
  readonly persistent: GrefTree<PersistentGnt>;
  readonly stats: BlkRingStats = {
    rd: 0,
    wr: 0,
    f: 0,
    ds: 0,
    oo: 0,
    okay: 0,
    error: 0,
    eopnotsupp: 0,
    deferred: 0,
    longestMs: 0,
    hits: 0,
    kept: 0,
    purged: 0,
  };
  persistentInUse = 0;
  /** Grants on their way out: their unmap waits. */
  purging = 0;
  inflight = 0;
  waitingReqs = false;
  nextLru = 0;
  /** The front end's indices made no sense: nothing is read any more. */
  isHalted = false;
  /** The thread sleeps after an error. */
  backOffUntil = 0;
  /** A barrier waits for requests before it; what is to be done then. */
  drained: (() => void) | null = null;
  /** A run of the thread is due at this time; Infinity: none. */
  runAt = Infinity;
  /** A run of the thread. */
  thread: () => void = () => {};
  isConnected = false;

  constructor(
    readonly blkif: XenBlkif,
    readonly id: number,
    readonly ring: BackRing,
    readonly port: number,
    readonly nrPages: number,
  ) {
    super();
    const { kernel } = blkif;
    this.freePages = new GnttabPageCache(kernel);
    this.persistent = new GrefTree(kernel.hv.trace);
    this.allRequests = Array.from({ length: XEN_BLKIF_REQS_PER_PAGE * nrPages }, () => new PendingReq());
    this.pendingFree.push(...this.allRequests);
  }

  override [viewOf](): View {
    return blkRingView(this);
  }
}

/** What front end and back end agreed on. */
export interface BlkFeatures {
  /** Both sides keep grants mapped. */
  readonly persistent: boolean;
}

/** One device. @cite linux 6.1 drivers/block/xen-blkback/common.h xen_blkif */
export class XenBlkif extends Shown {
  readonly rings: XenBlkifRing[] = [];
  /** Grants could not be kept because a tree was full. */
  overflowMaxGrants = false;
  /** Until then the stocks are kept empty. */
  bufferSqueezeEnd = 0;

  constructor(
    readonly kernel: XenLinux,
    readonly domid: number,
    readonly device: BlockDevice,
    readonly features: BlkFeatures,
    readonly parameters: BlkbackParameters,
    readonly unmapPolicy: UnmapPolicy,
    /** The device may only be read. */
    readonly isReadonly: boolean,
  ) {
    super();
  }

  override [viewOf](): View {
    return blkbackView(this);
  }
}
