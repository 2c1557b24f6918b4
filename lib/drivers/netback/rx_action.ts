/**
 * Towards the guest: grant copies only, 64 a hypercall. A part of the packet that is itself a guest's page is named by
 * its own grant as the source, so a packet from guest to guest is never mapped for this.
 *
 * @cite linux 6.1 drivers/net/xen-netback/rx.c xenvif_rx_action
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { gnttabBatchCopy } from "../../linux/xen/gnttab.ts";
import { xenPageForeign } from "../../linux/xen/page_foreign.ts";
import { DOMID_SELF, GNTCOPY_dest_gref, GNTCOPY_source_gref } from "../../xen/abi.ts";
import { GNTST_okay } from "../../xen/status.ts";
import { readRxRequest, type RxRequest, writeRxResponse, XEN_NETRXF_more_data } from "../netif/netif.ts";
import { REQ_EVENT } from "../ring/shared_ring.ts";
import { kfreeSkb, type Skb, type SkbFrag } from "./skb.ts";
import { COPY_BATCH_SIZE, RX_BATCH_SIZE, type XenvifQueue } from "./xenvif.ts";

/** Queues a packet for the guest. @cite linux 6.1 drivers/net/xen-netback/rx.c xenvif_rx_queue_tail */
export function xenvifRxQueueTail(queue: XenvifQueue, skb: Skb): void {
  const { kernel, parameters } = queue.vif;
  skb.expiresMs = kernel.work.nowMs + parameters.rx_drain_timeout_msecs;
  queue.rxQueue.push(skb);
}

/** Sends what is queued while the guest has room; then drops what waited too long. Packets sent. */
export function xenvifRxAction(queue: XenvifQueue): number {
  let sent = 0;
  while (sent < RX_BATCH_SIZE && hasRoom(queue)) {
    rxSkb(queue, queue.rxQueue.shift()!);
    sent++;
  }
  copyFlush(queue);
  dropExpired(queue);
  return sent;
}

/** @cite linux 6.1 drivers/net/xen-netback/rx.c xenvif_rx_ring_slots_available */
function hasRoom({ rx, rxQueue }: XenvifQueue): boolean {
  const [skb] = rxQueue;
  if (skb === undefined) return false;
  const prod = rx.reqProd;
  const room = prod - rx.reqCons >>> 0;
  if (room >= Math.ceil(skb.len / PAGE_SIZE)) return room <= rx.shared.size;
  rx.shared.setIndex(REQ_EVENT, prod + 1);
  return false;
}

/** Packets that a guest does not take hold pages of other guests: they go. @cite linux 6.1 drivers/net/xen-netback/rx.c xenvif_rx_queue_drop_expired */
function dropExpired(queue: XenvifQueue): void {
  const { nowMs } = queue.vif.kernel.work;
  while (queue.rxQueue.length > 0 && queue.rxQueue[0]!.expiresMs <= nowMs) {
    kfreeSkb(queue.rxQueue.shift()!);
    queue.stats.expired++;
  }
}

/** Fills slot after slot. @cite linux 6.1 drivers/net/xen-netback/rx.c xenvif_rx_skb */
function rxSkb(queue: XenvifQueue, skb: Skb): void {
  const { rx, stats } = queue;
  let left = skb.len;
  stats.toGuest++;
  stats.toGuestBytes += left;
  const pieces = [...skb.pieces];
  let piece = pieces.shift()!;
  let done = 0;
  while (left > 0) {
    const at = rx.shared.slot(rx.reqCons);
    const request = readRxRequest(rx.shared, at);
    let offset = 0;
    while (offset < PAGE_SIZE && left > 0) {
      if (done === piece.size) {
        piece = pieces.shift()!;
        done = 0;
        continue;
      }
      const from = { page: piece.page, offset: piece.offset + done, size: 0 };
      from.size = Math.min(piece.size - done, PAGE_SIZE - offset, PAGE_SIZE - from.offset);
      copyAdd(queue, request, offset, from);
      done += from.size;
      offset += from.size;
      left -= from.size;
    }
    const flags = left > 0 ? XEN_NETRXF_more_data : 0;
    writeRxResponse(rx.shared, at, { id: request.id, offset: 0, flags, status: offset });
    rx.reqCons = rx.reqCons + 1 >>> 0;
  }
  rx.rspProdPvt = rx.reqCons;
  queue.rxCompleted.push(skb);
}

/** @cite linux 6.1 drivers/net/xen-netback/rx.c xenvif_rx_copy_add */
function copyAdd(queue: XenvifQueue, request: RxRequest, offset: number, from: SkbFrag): void {
  const { kernel, domid } = queue.vif;
  if (queue.rxCopyOps.length === COPY_BATCH_SIZE) copyFlush(queue);
  const foreign = xenPageForeign(kernel, from.page);
  queue.rxCopyOps.push({
    source: foreign === null
      ? { gmfn: kernel.guest.grantFrame(kernel, from.page), domid: DOMID_SELF, offset: from.offset }
      : { ref: foreign.gref, domid: foreign.domid, offset: from.offset },
    dest: { ref: request.gref, domid, offset },
    len: from.size,
    flags: GNTCOPY_dest_gref | (foreign === null ? 0 : GNTCOPY_source_gref),
    status: 1,
  });
  queue.rxCopySlots.push(queue.rx.reqCons);
}

/** Copies, tells which slots failed, shows the answers of whole packets, lets the packets go. @cite linux 6.1 drivers/net/xen-netback/rx.c xenvif_rx_copy_flush */
function copyFlush(queue: XenvifQueue): void {
  const { rx, rxCopyOps, rxCopySlots } = queue;
  const { kernel } = queue.vif;
  if (rxCopyOps.length > 0) gnttabBatchCopy(kernel, rxCopyOps);
  rxCopyOps.forEach(({ status }, i) => {
    if (status !== GNTST_okay) rx.shared.write16(rx.shared.slot(rxCopySlots[i]!) + 6, status);
  });
  rxCopyOps.length = 0;
  rxCopySlots.length = 0;
  if (rx.pushResponses()) kernel.evtchn.notify(queue.port);
  for (const skb of queue.rxCompleted.splice(0)) kfreeSkb(skb);
}
