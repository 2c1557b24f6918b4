/**
 * Reading requests until there are none, none can be taken, or one was refused.
 *
 * @cite linux 6.1 drivers/block/xen-blkback/blkback.c do_block_io_op
 * @module
 */

import {
  BLKIF_OP_DISCARD,
  BLKIF_OP_FLUSH_DISKCACHE,
  BLKIF_OP_INDIRECT,
  BLKIF_OP_READ,
  BLKIF_OP_WRITE,
  BLKIF_OP_WRITE_BARRIER,
} from "../blkif/blkif.ts";
import { dispatchRwBlockIo } from "./dispatch.ts";
import { dispatchDiscardIo, dispatchOtherIo } from "./dispatch_discard.ts";
import { BACK_OFF_MS, type XenBlkifRing } from "./xen_blkif.ts";

/** Why reading stopped: `more` requests wait, the thread `sleeps` or `drains`, the ring is `halted`. */
export type BlockIoOutcome = "idle" | "more" | "sleeps" | "drains" | "halted";

/** Reads the ring. */
export function doBlockIoOp(ring: XenBlkifRing): BlockIoOutcome {
  for (;;) {
    const outcome = readRequests(ring);
    if (outcome !== "idle") return outcome;
    if (!ring.ring.finalCheck()) return "idle";
  }
}

/** @cite linux 6.1 drivers/block/xen-blkback/blkback.c __do_block_io_op */
function readRequests(ring: XenBlkifRing): BlockIoOutcome {
  const { ring: back, request } = ring;
  const { kernel } = ring.blkif;
  const rp = back.reqProd;
  if (back.isProdOverflow(rp)) {
    const text =
      `Frontend provided bogus ring requests (${rp} - ${back.rspProdPvt}). Halting ring processing`;
    kernel.system.printk("driver-message", "__do_block_io_op", text);
    return "halted";
  }
  while (back.reqCons !== rp && !back.isConsOverflow(back.reqCons)) {
    const req = ring.pendingFree.pop();
    if (req === undefined) {
      ring.stats.oo++;
      return "more";
    }
    request.copyFrom(back.shared, back.shared.slot(back.reqCons));
    back.reqCons = back.reqCons + 1 >>> 0;
    switch (request.operation) {
      case BLKIF_OP_READ:
      case BLKIF_OP_WRITE:
      case BLKIF_OP_WRITE_BARRIER:
      case BLKIF_OP_FLUSH_DISKCACHE:
      case BLKIF_OP_INDIRECT: {
        const dispatched = dispatchRwBlockIo(ring, req);
        if (dispatched === "drains") return "drains";
        if (dispatched === "refused") {
          ring.backOffUntil = kernel.work.nowMs + BACK_OFF_MS;
          return "sleeps";
        }
        break;
      }
      case BLKIF_OP_DISCARD:
        ring.pendingFree.push(req);
        dispatchDiscardIo(ring);
        break;
      default:
        ring.pendingFree.push(req);
        dispatchOtherIo(ring);
    }
  }
  return "idle";
}
