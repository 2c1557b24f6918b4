/**
 * The block front end: puts requests into its rings, grants their pages, takes the answers.
 *
 * Without persistence it grants the pages of the data for as long as the request lasts. With it, it has pages of its own
 * that stay granted, and copies: before a write, after a read. Pages that the back end kept mapped are used first, the
 * last one first; a page that it let go is granted anew.
 *
 * @cite linux 6.1 drivers/block/xen-blkfront.c blkfront_ring_info
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import { tableBlock, type View } from "../../core/view.ts";
import { wholeNumber } from "../../core/misuse.ts";
import type { BlkfrontOffer } from "../blkback/connect.ts";
import { BLKIF_ENTRY_BYTES, BlkifRequest } from "../blkif/blkif.ts";
import type { FrontendKernel } from "../frontend_kernel.ts";
import { FrontRing } from "../ring/front_ring.ts";
import { SharedRing } from "../ring/shared_ring.ts";

/** A part of a frame of data: sectors `first` … `last` of its eight. */
export interface BlkSegment {
  readonly frame: number;
  readonly first: number;
  readonly last: number;
}

/** What a guest wants of its disk. */
export interface BlkfrontWish {
  readonly operation: "read" | "write" | "flush" | "barrier" | "discard";
  readonly sector: number;
  /** None for a discard; may be none for a flush. */
  readonly segments: readonly BlkSegment[];
  /** Sectors of a discard. */
  readonly nrSectors?: number;
  /** Called with the status, `BLKIF_RSP_*`. */
  readonly done?: (status: number) => void;
}

/** A page that is or was granted. @cite linux 6.1 drivers/block/xen-blkfront.c struct grant */
export interface FrontGrant {
  /** -1: not granted. */
  gref: number;
  /** -1: the page is that of the data, whoever needs the structure next. */
  frame: number;
}

/** A request without answer. @cite linux 6.1 drivers/block/xen-blkfront.c struct blk_shadow */
export class BlkShadow {
  wish: BlkfrontWish | null = null;
  readonly grantsUsed: FrontGrant[] = [];
  readonly indirectGrants: FrontGrant[] = [];
}

/** No reference. */
export const INVALID_GRANT_REF = -1;

/** How a front end is set up. */
export interface BlkfrontOptions {
  /** `feature-persistent`. Default true. */
  readonly persistent?: boolean;
  /** Rings. Default 1. */
  readonly queues?: number;
  /** log2 of the pages of a ring. Default 0. */
  readonly ringPageOrder?: number;
  /** Segments of an indirect request, 0 … 256; up to 11 none is needed. Linux asks for 32. Default 0. */
  readonly maxIndirectSegments?: number;
}

/** A ring of the front end. */
export class BlkfrontRing {
  readonly request: BlkifRequest = new BlkifRequest();
  /** Head first: pages that the back end keeps mapped come before those that must be granted. */
  readonly grants: FrontGrant[] = [];
  readonly shadow: BlkShadow[];
  readonly freeIds: number[];
  /** Answers wait to be read. */
  isIrqPending = false;

  constructor(
    readonly id: number,
    readonly ring: FrontRing,
    readonly ringRefs: readonly number[],
    readonly ringFrames: readonly number[],
    readonly port: number,
  ) {
    const { size } = ring.shared;
    this.shadow = Array.from({ length: size }, () => new BlkShadow());
    this.freeIds = Array.from({ length: size }, (_, i) => size - 1 - i);
  }
}

/** A device of the guest. */
export class Blkfront extends Shown {
  readonly rings: BlkfrontRing[];
  readonly persistent: boolean;
  readonly maxIndirectSegments: number;
  /** Answers by status, and those that made no sense. */
  readonly stats = { okay: 0, error: 0, eopnotsupp: 0, bogus: 0 };
  /** The back end did what it must not: the device is not used any more. */
  isBroken = false;
  /** Called when answers wait; by default they do until {@linkcode blkifInterrupt}. */
  onEvent: (ring: BlkfrontRing) => void = () => {};

  /** @param backDomid the domain that serves */
  constructor(
    readonly kernel: FrontendKernel,
    readonly backDomid: number,
    options: BlkfrontOptions = {},
  ) {
    super();
    this.persistent = options.persistent ?? true;
    this.maxIndirectSegments = wholeNumber(
      "use indirect requests of segments",
      options.maxIndirectSegments ?? 0,
      0,
      256,
    );
    const queues = wholeNumber("make a block device of queues", options.queues ?? 1, 1, 64);
    const nrPages = 2 ** wholeNumber("make rings of pages, log2:", options.ringPageOrder ?? 0, 0, 8);
    this.rings = Array.from({ length: queues }, (_, id) => this.#setupRing(id, nrPages));
  }

  /** @cite linux 6.1 drivers/block/xen-blkfront.c setup_blkring */
  #setupRing(id: number, nrPages: number): BlkfrontRing {
    const { kernel, backDomid } = this;
    const frames = kernel.allocFrames(nrPages);
    const refs = frames.map((frame) => kernel.grantRefs.grantForeignAccess(backDomid, frame, false));
    const shared = new SharedRing(kernel.hv.mem, frames, BLKIF_ENTRY_BYTES);
    const port = kernel.evtchn.allocUnbound(() => {
      const ring = this.rings?.[id];
      if (ring === undefined) return;
      ring.isIrqPending = true;
      this.onEvent(ring);
    });
    return new BlkfrontRing(id, new FrontRing(shared), refs, frames, port);
  }

  /** What the front end writes to xenstore. */
  get offer(): BlkfrontOffer {
    return {
      domid: this.kernel.domain.domid,
      rings: this.rings.map(({ ringRefs, port }) => ({ ringRefs, eventChannel: port })),
      persistent: this.persistent,
    };
  }

  /** Requests without answer. */
  get inFlight(): number {
    return this.rings.reduce((sum, { shadow, freeIds }) => sum + shadow.length - freeIds.length, 0);
  }

  override [viewOf](): View {
    const { stats, rings } = this;
    return {
      line:
        `blkfront in domain ${this.kernel.domain.domid}: ${rings.length} rings, ${this.inFlight} requests in flight, ` +
        `${this.persistent ? "persistent grants" : "grants per request"}${this.isBroken ? ", broken" : ""}`,
      blocks: [
        tableBlock(
          ["ring", "requests", "in flight", "own pages", "of them granted"],
          rings.map(({ id, ring, shadow, freeIds, grants }) =>
            [
              id,
              ring.reqProdPvt,
              shadow.length - freeIds.length,
              grants.length,
              grants.filter(({ gref }) => gref >= 0).length,
            ].map(String)
          ),
        ),
        tableBlock(["answers", "number"], Object.entries(stats).map(([name, n]) => [name, String(n)])),
      ],
    };
  }
}
