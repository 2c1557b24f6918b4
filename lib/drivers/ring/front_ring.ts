/**
 * The requesting side of a ring: what it has produced and not shown yet, and how far it has read responses.
 *
 * @cite xen 4.17 xen/include/public/io/ring.h FRONT_RING_INIT
 * @module
 */

import { REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD, type SharedRing } from "./shared_ring.ts";

/** Private indices of the front end. */
export class FrontRing {
  /** Next request to be filled in. */
  reqProdPvt = 0;
  /** Next response to be read. */
  rspCons = 0;

  /** Takes the shared page over: indices 0, "wake me for the first". @cite xen 4.17 xen/include/public/io/ring.h SHARED_RING_INIT */
  constructor(readonly shared: SharedRing) {
    shared.setIndex(REQ_PROD, 0);
    shared.setIndex(RSP_PROD, 0);
    shared.setIndex(REQ_EVENT, 1);
    shared.setIndex(RSP_EVENT, 1);
  }

  /** Requests that can still be put in. @cite xen 4.17 xen/include/public/io/ring.h RING_FREE_REQUESTS */
  get free(): number {
    return this.shared.size - (this.reqProdPvt - this.rspCons >>> 0);
  }

  /** Shows what was produced; true if the back end asked to be told. @cite xen 4.17 xen/include/public/io/ring.h RING_PUSH_REQUESTS_AND_CHECK_NOTIFY */
  pushRequests(): boolean {
    const { shared } = this;
    const old = shared.index(REQ_PROD);
    shared.setIndex(REQ_PROD, this.reqProdPvt);
    return (this.reqProdPvt - shared.index(REQ_EVENT) >>> 0) < (this.reqProdPvt - old >>> 0);
  }

  /** Responses not read yet. */
  get unread(): number {
    return this.shared.index(RSP_PROD) - this.rspCons >>> 0;
  }

  /** Nothing is left to read: asks to be told of the next one, then looks again. @cite xen 4.17 xen/include/public/io/ring.h RING_FINAL_CHECK_FOR_RESPONSES */
  finalCheck(): boolean {
    if (this.unread > 0) return true;
    this.shared.setIndex(RSP_EVENT, this.rspCons + 1);
    return this.unread > 0;
  }
}
