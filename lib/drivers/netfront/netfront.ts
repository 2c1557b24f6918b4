/**
 * The network front end: grants the pages of packets it sends for as long as they are under way, and pages for packets
 * to come.
 *
 * @cite linux 6.1 drivers/net/xen-netfront.c netfront_queue
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { maddrOf, type Mfn } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { outOfRange, wholeNumber } from "../../core/misuse.ts";
import type { NetfrontOffer } from "../netback/connect.ts";
import type { FrontendKernel } from "../frontend_kernel.ts";
import {
  NETIF_RX_ENTRY_BYTES,
  NETIF_TX_ENTRY_BYTES,
  readRxResponse,
  readTxResponse,
  writeRxRequest,
  writeTxRequest,
  XEN_NETIF_RSP_OKAY,
  XEN_NETRXF_more_data,
  XEN_NETTXF_more_data,
} from "../netif/netif.ts";
import { FrontRing } from "../ring/front_ring.ts";
import { SharedRing } from "../ring/shared_ring.ts";

/** Bytes of the largest packet. */
export const MAX_PACKET = 65535;

/** A page that is granted for a packet. */
export interface NetfrontSlot {
  readonly gref: number;
  readonly frame: number;
}

/** Both rings of a queue. */
export class NetfrontQueue {
  readonly txSlots: Map<number, NetfrontSlot> = new Map();
  readonly rxSlots: Map<number, NetfrontSlot> = new Map();
  readonly txFreeIds: number[];
  /** Slots of a packet whose end has not come yet. */
  readonly partial: Uint8Array[] = [];

  constructor(
    readonly id: number,
    readonly tx: FrontRing,
    readonly rx: FrontRing,
    readonly refs: { readonly tx: number; readonly rx: number },
    readonly port: number,
  ) {
    this.txFreeIds = Array.from({ length: tx.shared.size }, (_, i) => tx.shared.size - 1 - i);
  }
}

/** A network device of the guest. */
export class Netfront extends Shown {
  readonly queues: NetfrontQueue[];
  /** Packets that came, oldest first. */
  readonly received: Uint8Array[] = [];
  /** Slots by how they were answered; packets that came broken; pages that the back end had not let go. */
  readonly stats = { okay: 0, error: 0, rxErrors: 0, stuck: 0 };

  constructor(readonly kernel: FrontendKernel, readonly backDomid: number, queues = 1) {
    super();
    const n = wholeNumber("make a network device of queues", queues, 1, 64);
    this.queues = Array.from({ length: n }, (_, id) => this.#setup(id));
  }

  #setup(id: number): NetfrontQueue {
    const { kernel, backDomid } = this;
    const [txFrame, rxFrame] = kernel.allocFrames(2) as [number, number];
    const grant = (frame: number) => kernel.grantRefs.grantForeignAccess(backDomid, frame, false);
    const ring = (frame: number, bytes: number) =>
      new FrontRing(new SharedRing(kernel.hv.mem, [frame], bytes));
    const port = kernel.evtchn.allocUnbound(() => {});
    const refs = { tx: grant(txFrame), rx: grant(rxFrame) };
    return new NetfrontQueue(
      id,
      ring(txFrame, NETIF_TX_ENTRY_BYTES),
      ring(rxFrame, NETIF_RX_ENTRY_BYTES),
      refs,
      port,
    );
  }

  /** What the front end writes to xenstore. */
  get offer(): NetfrontOffer {
    return {
      domid: this.kernel.domain.domid,
      queues: this.queues.map(({ refs, port }) => ({
        txRingRef: refs.tx,
        rxRingRef: refs.rx,
        eventChannel: port,
      })),
    };
  }

  /** Slots under way. */
  get inFlight(): number {
    return this.queues.reduce((sum, { txSlots }) => sum + txSlots.size, 0);
  }

  override [viewOf](): View {
    return {
      line:
        `netfront in domain ${this.kernel.domain.domid}: ${this.queues.length} queues, ${this.inFlight} slots under ` +
        `way, ${this.received.length} packets received`,
    };
  }
}

/**
 * Puts a packet into the ring, a slot per page of it; false if there is no room. Shown with {@linkcode netfrontKick}.
 *
 * @throws {RangeError} if the packet has no byte or more than 65535
 * @cite linux 6.1 drivers/net/xen-netfront.c xennet_start_xmit
 */
export function netfrontSend(front: Netfront, queue: NetfrontQueue, packet: Uint8Array): boolean {
  if (packet.length === 0 || packet.length > MAX_PACKET) {
    throw outOfRange("send a packet of bytes", packet.length, `it must be from 1 to ${MAX_PACKET}`);
  }
  const { kernel, backDomid } = front;
  const nrSlots = Math.ceil(packet.length / PAGE_SIZE);
  if (queue.tx.free < nrSlots || queue.txFreeIds.length < nrSlots) return false;
  const { mem } = kernel.hv;
  for (let i = 0; i < nrSlots; i++) {
    const [frame] = kernel.allocFrames(1) as [number];
    const part = packet.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
    part.forEach((byte, at) => mem.write8(maddrOf(frame as Mfn, at), byte));
    const id = queue.txFreeIds.pop()!;
    const gref = kernel.grantRefs.grantForeignAccess(backDomid, frame, true);
    queue.txSlots.set(id, { gref, frame });
    writeTxRequest(queue.tx.shared, queue.tx.shared.slot(queue.tx.reqProdPvt++), {
      gref,
      offset: 0,
      flags: i < nrSlots - 1 ? XEN_NETTXF_more_data : 0,
      id,
      size: i === 0 ? packet.length : part.length,
    });
  }
  return true;
}

/** Shows both rings to the back end. */
export function netfrontKick(front: Netfront, queue: NetfrontQueue): void {
  const tx = queue.tx.pushRequests();
  const rx = queue.rx.pushRequests();
  if (tx || rx) front.kernel.evtchn.notify(queue.port);
}

/** Offers `count` pages, or as many as the ring takes. @cite linux 6.1 drivers/net/xen-netfront.c xennet_alloc_rx_buffers */
export function netfrontOffer(front: Netfront, queue: NetfrontQueue, count: number): void {
  const { kernel, backDomid } = front;
  const n = Math.min(count, queue.rx.free);
  for (let i = 0; i < n; i++) {
    const [frame] = kernel.allocFrames(1) as [number];
    const id = queue.rx.reqProdPvt & queue.rx.shared.size - 1;
    const gref = kernel.grantRefs.grantForeignAccess(backDomid, frame, false);
    queue.rxSlots.set(id, { gref, frame });
    writeRxRequest(queue.rx.shared, queue.rx.shared.slot(queue.rx.reqProdPvt++), { id, gref });
  }
}

/** Reads answers and packets. @cite linux 6.1 drivers/net/xen-netfront.c xennet_poll */
export function netfrontPoll(front: Netfront, queue: NetfrontQueue): void {
  do {
    while (queue.tx.unread > 0) takeTxAnswer(front, queue);
  } while (queue.tx.finalCheck());
  do {
    while (queue.rx.unread > 0) takeRxSlot(front, queue);
  } while (queue.rx.finalCheck());
}

function takeTxAnswer(front: Netfront, queue: NetfrontQueue): void {
  const { shared } = queue.tx;
  const { id, status } = readTxResponse(shared, shared.slot(queue.tx.rspCons++));
  const slot = queue.txSlots.get(id);
  if (slot === undefined) return;
  if (status === XEN_NETIF_RSP_OKAY) front.stats.okay++;
  else front.stats.error++;
  queue.txSlots.delete(id);
  queue.txFreeIds.push(id);
  end(front, slot);
}

function takeRxSlot(front: Netfront, queue: NetfrontQueue): void {
  const { shared } = queue.rx;
  const { id, offset, flags, status } = readRxResponse(shared, shared.slot(queue.rx.rspCons++));
  const slot = queue.rxSlots.get(id);
  if (slot === undefined) return;
  queue.rxSlots.delete(id);
  const { mem } = front.kernel.hv;
  const bytes = new Uint8Array(Math.max(0, status));
  for (let i = 0; i < bytes.length; i++) bytes[i] = mem.read8(maddrOf(slot.frame as Mfn, offset + i));
  if (status < 0) front.stats.rxErrors++;
  queue.partial.push(bytes);
  if ((flags & XEN_NETRXF_more_data) === 0) front.received.push(joined(queue.partial.splice(0)));
  end(front, slot);
}

/** The back end must have let go by now. */
function end(front: Netfront, { gref, frame }: NetfrontSlot): void {
  if (front.kernel.grantRefs.tryEndForeignAccess(gref)) front.kernel.freeFrames([frame]);
  else front.stats.stuck++;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
