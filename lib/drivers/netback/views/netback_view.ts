/**
 * The network back end for people.
 *
 * @module
 */

import { tableBlock, type View } from "../../../core/view.ts";
import type { Xenvif, XenvifQueue } from "../xenvif.ts";

/** A queue: rings, slots in work, packets that wait. */
export function xenvifQueueView(queue: XenvifQueue): View {
  const { id, tx, rx, stats } = queue;
  const inWork = queue.mmapPages.length - queue.pendingRing.length;
  return {
    line: `queue ${id}: ${inWork} slots in work, ${queue.dealloc.length} to be unmapped, ` +
      `${queue.rxQueue.length} packets wait for the guest`,
    blocks: [
      tableBlock(["", { header: "", right: true }], [
        ["transmit: req_prod, req_cons, rsp_prod_pvt", `${tx.reqProd}, ${tx.reqCons}, ${tx.rspProdPvt}`],
        ["receive: req_prod, req_cons, rsp_prod_pvt", `${rx.reqProd}, ${rx.reqCons}, ${rx.rspProdPvt}`],
        ["slots in work", `${inWork} of ${queue.mmapPages.length}`],
        ...Object.entries(stats).map(([name, n]) => [name, String(n)] as const),
      ]),
    ],
  };
}

/** An interface. */
export function xenvifView(vif: Xenvif): View {
  const sum = (name: "fromGuest" | "toGuest") => vif.queues.reduce((n, { stats }) => n + stats[name], 0);
  return {
    line:
      `netback for domain ${vif.domid}: ${vif.queues.length} queues, ${
        sum("fromGuest")
      } packets from the guest, ` +
      `${sum("toGuest")} to it${vif.isDisabled ? ", disabled" : ""}`,
  };
}
