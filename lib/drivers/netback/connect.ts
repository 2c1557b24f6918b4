/**
 * Connecting to a front end, and letting go of it. A queue has 256 pages of its own, at which slots are mapped.
 *
 * @cite linux 6.1 drivers/net/xen-netback/interface.c xenvif_connect_data
 * @module
 */

import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { allocSlot } from "../../linux/mm/pgtable.ts";
import { gnttabMapRefs, gnttabUnmapRefs } from "../../linux/xen/gnttab.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import { GNTMAP_host_map } from "../../xen/abi.ts";
import { GNTST_okay } from "../../xen/status.ts";
import { NETIF_RX_ENTRY_BYTES, NETIF_TX_ENTRY_BYTES } from "../netif/netif.ts";
import { BackRing } from "../ring/back_ring.ts";
import { RSP_PROD, SharedRing } from "../ring/shared_ring.ts";
import { xenvifRxAction } from "./rx_action.ts";
import { kfreeSkb, type Skb } from "./skb.ts";
import { xenvifPoll } from "./tx_action.ts";
import {
  MAX_PENDING_REQS,
  NETBACK_PARAMETERS,
  type NetbackParameters,
  Xenvif,
  XenvifQueue,
} from "./xenvif.ts";

/** What a front end writes to xenstore of one queue. */
export interface NetQueueReferences {
  readonly txRingRef: number;
  readonly rxRingRef: number;
  readonly eventChannel: number;
}

/** What a front end writes to xenstore. */
export interface NetfrontOffer {
  readonly domid: number;
  readonly queues: readonly NetQueueReferences[];
}

/** What the toolstack and the administrator decide. */
export interface NetbackOptions {
  readonly parameters?: Partial<NetbackParameters>;
  /** Where packets of the guest go; whoever gets one frees it. Default: nowhere, they are freed. */
  readonly receive?: (skb: Skb, queue: XenvifQueue) => void;
}

/** Connects. Errors: EINVAL for too many queues, a ring that cannot be mapped or a port that nobody offers; ENOMEM; EIO for indices that make no sense. */
export function netbackConnect(
  kernel: XenLinux,
  offer: NetfrontOffer,
  options: NetbackOptions = {},
): SysResult<Xenvif> {
  const parameters = { ...NETBACK_PARAMETERS, ...options.parameters };
  if (offer.queues.length === 0 || offer.queues.length > parameters.max_queues) return fail("EINVAL");
  const vif = new Xenvif(kernel, offer.domid, parameters, options.receive ?? kfreeSkb);
  vif.isConnected = true;
  for (const [id, references] of offer.queues.entries()) {
    const errno = connectQueue(vif, id, references);
    if (errno === null) continue;
    netbackDisconnect(vif);
    return fail(errno);
  }
  return ok(vif);
}

function connectQueue(vif: Xenvif, id: number, references: NetQueueReferences): Errno | null {
  const { kernel } = vif;
  const pages = kernel.frameSource.alloc(MAX_PENDING_REQS + 2);
  if (pages === null) return "ENOMEM";
  const undo = (errno: Errno): Errno => {
    kernel.frameSource.free(pages);
    return errno;
  };
  for (const page of pages) {
    if (allocSlot(kernel.initMm, kernel.kernelAddress(page)) < 0) return undo("ENOMEM");
  }
  const ringPages = pages.slice(MAX_PENDING_REQS);
  const mapOps = [references.txRingRef, references.rxRingRef].map((ref, i) => ({
    host_addr: kernel.guest.hostAddress(kernel, ringPages[i]!),
    flags: GNTMAP_host_map,
    ref,
    dom: vif.domid,
    status: 1,
    handle: 0,
    dev_bus_addr: 0,
  }));
  gnttabMapRefs(kernel, { mapOps, kmapOps: [], pages: ringPages });
  const mapped = ringPages.map((page, i) => ({ page, handle: mapOps[i]!.handle }))
    .filter((_, i) => mapOps[i]!.status === GNTST_okay);
  const undoRings = (errno: Errno): Errno => {
    unmapRings(kernel, mapped);
    return undo(errno);
  };
  if (mapped.length < 2) return undoRings("EINVAL");
  const [tx, rx] = [NETIF_TX_ENTRY_BYTES, NETIF_RX_ENTRY_BYTES].map((bytes, i) => {
    const shared = new SharedRing(kernel.hv.mem, [kernel.system.frameOf(ringPages[i]!)], bytes);
    return new BackRing(shared, shared.index(RSP_PROD));
  }) as [BackRing, BackRing];
  if (tx.isProdOverflow(tx.reqProd) || rx.isProdOverflow(rx.reqProd)) return undoRings("EIO");
  const port = kernel.evtchn.bindInterdomain(references.eventChannel, () => {
    const queue = vif.queues[id];
    if (queue !== undefined) wakeQueue(queue);
  });
  if (port < 0) return undoRings("EINVAL");
  const queue = new XenvifQueue(vif, id, tx, rx, port, pages.slice(0, MAX_PENDING_REQS));
  queue.ringPages.push(...mapped);
  vif.queues.push(queue);
  wakeQueue(queue);
  return null;
}

/** Lets a queue's threads run when the clock goes on. @cite linux 6.1 drivers/net/xen-netback/interface.c xenvif_interrupt */
export function wakeQueue(queue: XenvifQueue): void {
  queue.vif.kernel.work.schedule(0, () => {
    if (!queue.vif.isConnected) return;
    xenvifPoll(queue);
    while (!queue.vif.isDisabled && xenvifRxAction(queue) > 0);
  });
}

function unmapRings(
  kernel: XenLinux,
  rings: readonly { readonly page: number; readonly handle: number }[],
): void {
  if (rings.length === 0) return;
  gnttabUnmapRefs(kernel, {
    unmapOps: rings.map(({ page, handle }) => ({
      host_addr: kernel.guest.hostAddress(kernel, page),
      dev_bus_addr: 0,
      handle,
      status: 1,
    })),
    kunmapOps: [],
    pages: rings.map(({ page }) => page),
  });
}

/** Lets go of a front end: EBUSY while packets with its pages are under way; call it again then. @cite linux 6.1 drivers/net/xen-netback/interface.c xenvif_disconnect_data */
export function netbackDisconnect(vif: Xenvif): SysResult<0> {
  const { kernel } = vif;
  const wasConnected = vif.isConnected;
  vif.isConnected = false;
  let isBusy = false;
  for (const queue of vif.queues) {
    if (wasConnected) kernel.evtchn.put(queue.port);
    for (const skb of queue.rxQueue.splice(0)) kfreeSkb(skb);
    if (queue.pendingRing.length < MAX_PENDING_REQS) isBusy = true;
    else if (queue.ringPages.length > 0) {
      unmapRings(kernel, queue.ringPages);
      kernel.frameSource.free([...queue.mmapPages, ...queue.ringPages.splice(0).map(({ page }) => page)]);
    }
  }
  return isBusy ? fail("EBUSY") : ok(0);
}
