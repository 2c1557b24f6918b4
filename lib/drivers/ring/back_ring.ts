/**
 * The serving side of a ring. Indices and requests come from a domain that is not trusted, so what can overrun is
 * checked, and a request is copied before it is looked at.
 *
 * @cite xen 4.17 xen/include/public/io/ring.h BACK_RING_ATTACH
 * @module
 */

import { REQ_EVENT, REQ_PROD, RSP_EVENT, RSP_PROD, type SharedRing } from "./shared_ring.ts";

/** Private indices of the back end. */
export class BackRing {
  /** Next response to be filled in. */
  rspProdPvt: number;
  /** Next request to be read. */
  reqCons: number;

  /** @param from where both sides stand: 0, or what an earlier back end left in `rsp_prod` */
  constructor(readonly shared: SharedRing, from = 0) {
    this.rspProdPvt = from >>> 0;
    this.reqCons = from >>> 0;
  }

  /** The front end's index. */
  get reqProd(): number {
    return this.shared.index(REQ_PROD);
  }

  /** More requests than the ring has room for. @cite xen 4.17 xen/include/public/io/ring.h RING_REQUEST_PROD_OVERFLOW */
  isProdOverflow(reqProd: number): boolean {
    return (reqProd - this.rspProdPvt >>> 0) > this.shared.size;
  }

  /** Every slot holds a request without a response. @cite xen 4.17 xen/include/public/io/ring.h RING_REQUEST_CONS_OVERFLOW */
  isConsOverflow(cons: number): boolean {
    return (cons - this.rspProdPvt >>> 0) >= this.shared.size;
  }

  /** Requests not read yet, as far as there are slots for responses. @cite xen 4.17 xen/include/public/io/ring.h RING_HAS_UNCONSUMED_REQUESTS */
  get unconsumed(): number {
    const waiting = this.reqProd - this.reqCons >>> 0;
    const room = this.shared.size - (this.reqCons - this.rspProdPvt >>> 0);
    return Math.min(waiting, room);
  }

  /** Nothing is left to read: asks to be told of the next one, then looks again. @cite xen 4.17 xen/include/public/io/ring.h RING_FINAL_CHECK_FOR_REQUESTS */
  finalCheck(): boolean {
    if (this.unconsumed > 0) return true;
    this.shared.setIndex(REQ_EVENT, this.reqCons + 1);
    return this.unconsumed > 0;
  }

  /** Shows what was produced; true if the front end asked to be told. @cite xen 4.17 xen/include/public/io/ring.h RING_PUSH_RESPONSES_AND_CHECK_NOTIFY */
  pushResponses(): boolean {
    const { shared } = this;
    const old = shared.index(RSP_PROD);
    shared.setIndex(RSP_PROD, this.rspProdPvt);
    return (this.rspProdPvt - shared.index(RSP_EVENT) >>> 0) < (this.rspProdPvt - old >>> 0);
  }
}
