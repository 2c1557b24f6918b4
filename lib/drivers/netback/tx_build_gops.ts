/**
 * From slots of the ring to grant operations: one copy for the first bytes of each packet, one map for every slot with
 * bytes beyond those. Nothing is done yet; the operations of up to 64 packets go to Xen together.
 *
 * ```text
 * slot 0  |128 bytes| rest of the slot |   slot 1 |          |   slot 2 |     |
 *           copied     mapped, part 0             part 1                part 2
 * ```
 *
 * @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_tx_build_gops
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import {
  DOMID_SELF,
  GNTCOPY_source_gref,
  GNTMAP_host_map,
  GNTMAP_readonly,
  type GnttabCopy,
  type GnttabMapGrantRef,
} from "../../xen/abi.ts";
import { readTxRequest, type TxRequest, XEN_NETTXF_extra_info } from "../netif/netif.ts";
import { xenvifCountRequests } from "./count_requests.ts";
import { Skb } from "./skb.ts";
import { xenvifTxErr } from "./tx_response.ts";
import {
  ETH_HLEN,
  MAX_PENDING_REQS,
  NAPI_POLL_WEIGHT,
  XEN_NETBACK_TX_COPY_LEN,
  XEN_NETBK_LEGACY_SLOTS_MAX,
  xenvifFatalTxErr,
  type XenvifQueue,
} from "./xenvif.ts";

/** A packet between the ring and the stack. */
export interface TxPacket {
  readonly skb: Skb;
  /** Place of the first slot. */
  readonly headIndex: number;
  /** Places of the mapped slots, in order; the first may be that of the head. */
  readonly mapped: readonly number[];
}

/** Operations of a run. */
export interface TxBatch {
  readonly packets: TxPacket[];
  /** One per packet. */
  readonly copyOps: GnttabCopy[];
  /** Those of each packet behind those of the one before. */
  readonly mapOps: GnttabMapGrantRef[];
  readonly mapPages: number[];
}

/** Takes packets from the ring until it is empty, a run is full or one is refused. */
export function xenvifTxBuildGops(queue: XenvifQueue): TxBatch {
  const batch: TxBatch = { packets: [], copyOps: [], mapOps: [], mapPages: [] };
  while (batch.packets.length < NAPI_POLL_WEIGHT && batch.mapOps.length < MAX_PENDING_REQS) {
    if (!takePacket(queue, batch)) break;
  }
  return batch;
}

/** One packet; false if none was taken. */
function takePacket(queue: XenvifQueue, batch: TxBatch): boolean {
  const { tx, vif } = queue;
  if (tx.isProdOverflow(tx.reqProd) || (tx.reqProd - tx.reqCons >>> 0) > tx.shared.size) {
    xenvifFatalTxErr(vif, `Impossible number of requests. req_prod ${tx.reqProd}, req_cons ${tx.reqCons}`);
    return false;
  }
  const workToDo = tx.unconsumed;
  if (workToDo === 0) return false;
  const first = readTxRequest(tx.shared, tx.shared.slot(tx.reqCons));
  tx.reqCons = tx.reqCons + 1 >>> 0;
  if ((first.flags & XEN_NETTXF_extra_info) !== 0) {
    xenvifFatalTxErr(vif, "Extra info of a kind that is not taken");
    return false;
  }
  const rest = xenvifCountRequests(queue, first, workToDo - 1);
  if (rest === null) return false;
  const end = tx.reqCons + rest.length >>> 0;
  if (first.size < ETH_HLEN) {
    xenvifTxErr(queue, first, end);
    return false;
  }
  if (first.offset + first.size > PAGE_SIZE) {
    xenvifFatalTxErr(vif, `Cross page boundary, offset ${first.offset}, size ${first.size}`);
    return false;
  }
  const headPage = vif.kernel.system.memMap.allocPage();
  if (headPage < 0) {
    xenvifTxErr(queue, first, end);
    return false;
  }
  addPacket(queue, batch, { first, rest, headPage });
  tx.reqCons = end;
  return true;
}

interface Slots {
  readonly first: TxRequest;
  readonly rest: readonly TxRequest[];
  readonly headPage: number;
}

function addPacket(queue: XenvifQueue, batch: TxBatch, { first, rest, headPage }: Slots): void {
  const { vif } = queue;
  const { kernel } = vif;
  // A packet of so many slots has no part left for the rest of the first one.
  const isLong = rest.length >= XEN_NETBK_LEGACY_SLOTS_MAX;
  const copied = isLong ? first.size : Math.min(first.size, XEN_NETBACK_TX_COPY_LEN);
  const skb = new Skb(kernel.system, headPage, copied);
  const headIndex = queue.pendingRing.pop()!;
  queue.pendingTx[headIndex] = first;
  batch.copyOps.push({
    source: { ref: first.gref, domid: vif.domid, offset: first.offset },
    dest: { gmfn: kernel.guest.grantFrame(kernel, headPage), domid: DOMID_SELF, offset: 0 },
    len: copied,
    flags: GNTCOPY_source_gref,
    status: 1,
  });
  const mapped: number[] = [];
  if (copied < first.size) {
    addMapOp(queue, batch, headIndex, first);
    mapped.push(headIndex);
  }
  for (const request of rest) {
    const index = queue.pendingRing.pop()!;
    queue.pendingTx[index] = request;
    addMapOp(queue, batch, index, request);
    mapped.push(index);
  }
  batch.packets.push({ skb, headIndex, mapped });
}

/** Read-only, at a kernel address. @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_tx_create_map_op */
function addMapOp(queue: XenvifQueue, batch: TxBatch, index: number, { gref }: TxRequest): void {
  const { vif, mmapPages } = queue;
  const { kernel } = vif;
  const page = mmapPages[index]!;
  batch.mapOps.push({
    host_addr: kernel.guest.hostAddress(kernel, page),
    flags: GNTMAP_host_map | GNTMAP_readonly,
    ref: gref,
    dom: vif.domid,
    status: 1,
    handle: 0,
    dev_bus_addr: 0,
  });
  batch.mapPages.push(page);
}
