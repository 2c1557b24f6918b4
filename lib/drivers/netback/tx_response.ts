/**
 * Answering transmit requests.
 *
 * @cite linux 6.1 drivers/net/xen-netback/netback.c make_tx_response
 * @module
 */

import { readTxRequest, type TxRequest, writeTxResponse, XEN_NETIF_RSP_ERROR } from "../netif/netif.ts";
import type { XenvifQueue } from "./xenvif.ts";

/** Answers one slot. @cite linux 6.1 drivers/net/xen-netback/netback.c push_tx_responses */
export function makeTxResponse(queue: XenvifQueue, { id }: TxRequest, status: number): void {
  const { tx } = queue;
  writeTxResponse(tx.shared, tx.shared.slot(tx.rspProdPvt), { id, status });
  tx.rspProdPvt = tx.rspProdPvt + 1 >>> 0;
  if (tx.pushResponses()) queue.vif.kernel.evtchn.notify(queue.port);
}

/** A slot in work is over: its place is free, the front end hears of it. @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_idx_release */
export function xenvifIdxRelease(queue: XenvifQueue, index: number, status: number): void {
  const request = queue.pendingTx[index]!;
  queue.pendingTx[index] = null;
  queue.pendingRing.push(index);
  makeTxResponse(queue, request, status);
}

/** All slots of a packet are answered with an error; `end`: the index behind its last one. @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_tx_err */
export function xenvifTxErr(queue: XenvifQueue, first: TxRequest, end: number): void {
  const { tx } = queue;
  queue.stats.errors++;
  let request = first;
  for (;;) {
    makeTxResponse(queue, request, XEN_NETIF_RSP_ERROR);
    if (tx.reqCons === end) return;
    request = readTxRequest(tx.shared, tx.shared.slot(tx.reqCons));
    tx.reqCons = tx.reqCons + 1 >>> 0;
  }
}
