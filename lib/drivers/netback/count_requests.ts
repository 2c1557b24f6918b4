/**
 * The slots of a packet behind its first one. What the front end says is checked slot by slot; a packet that is merely
 * too long is dropped, one that cannot be meant well ends the interface.
 *
 * | slots behind the first | |
 * | ---------------------- | ------------------------------------- |
 * | up to 18               | taken                                 |
 * | 19, 20                 | dropped, every slot answered with an error |
 * | 21 and more            | the interface is disabled             |
 *
 * @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_count_requests
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { readTxRequest, type TxRequest, XEN_NETTXF_more_data } from "../netif/netif.ts";
import { xenvifTxErr } from "./tx_response.ts";
import { XEN_NETBK_LEGACY_SLOTS_MAX, xenvifFatalTxErr, type XenvifQueue } from "./xenvif.ts";

/**
 * Copies the slots behind `first` into `slots`; on return `first.size` is that of the first slot alone.
 *
 * @param workToDo slots that the front end has shown behind the first
 * @returns null if the packet is not to be taken
 */
export function xenvifCountRequests(
  queue: XenvifQueue,
  first: TxRequest,
  workToDo: number,
): TxRequest[] | null {
  const { tx, vif } = queue;
  const slots: TxRequest[] = [];
  if ((first.flags & XEN_NETTXF_more_data) === 0) return slots;
  let isDropped = false;
  for (let n = 0, more = true; more; n++) {
    if (n >= workToDo) return fatal(queue, `Asked for ${workToDo} slots but exceeds this limit`);
    if (n >= vif.parameters.fatal_skb_slots) {
      return fatal(queue, `Malicious frontend using ${n} slots, threshold ${vif.parameters.fatal_skb_slots}`);
    }
    if (n >= XEN_NETBK_LEGACY_SLOTS_MAX) isDropped = true;
    const request = readTxRequest(tx.shared, tx.shared.slot(tx.reqCons + n));
    // A packet of 64 KiB and more: its size did not fit 16 bits.
    if (request.size > first.size) isDropped = true;
    first.size = first.size - request.size & 0xffff;
    slots.push(request);
    if (request.offset + request.size > PAGE_SIZE) {
      return fatal(queue, `Cross page boundary, offset ${request.offset}, size ${request.size}`);
    }
    more = (request.flags & XEN_NETTXF_more_data) !== 0;
  }
  if (!isDropped) return slots;
  xenvifTxErr(queue, first, tx.reqCons + slots.length >>> 0);
  return null;
}

function fatal(queue: XenvifQueue, text: string): null {
  xenvifFatalTxErr(queue.vif, text);
  return null;
}
