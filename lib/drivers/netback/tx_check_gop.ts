/**
 * What came of a packet's grant operations. One that failed drops the packet: what was mapped for it is unmapped at once,
 * the slots at fault are answered with an error, the others with okay.
 *
 * @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_tx_check_gop
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import { gnttabUnmapRefs } from "../../linux/xen/gnttab.ts";
import { GNTST_okay } from "../../xen/status.ts";
import { XEN_NETIF_RSP_ERROR, XEN_NETIF_RSP_OKAY } from "../netif/netif.ts";
import type { TxPacket } from "./tx_build_gops.ts";
import { xenvifIdxRelease } from "./tx_response.ts";
import { NETBACK_INVALID_HANDLE, type XenvifQueue } from "./xenvif.ts";

/** Result of one map. */
export interface MapResult {
  readonly status: number;
  readonly handle: number;
}

/** Notes the handles of a packet; false if it is to be dropped, which has been done but for its head. */
export function xenvifTxCheckGop(
  queue: XenvifQueue,
  { headIndex, mapped }: TxPacket,
  copyStatus: number,
  maps: readonly MapResult[],
): boolean {
  const sharesSlot = mapped[0] === headIndex;
  mapped.forEach((index, i) => {
    if (maps[i]!.status === GNTST_okay) queue.grantTxHandle[index] = maps[i]!.handle;
  });
  if (copyStatus === GNTST_okay && maps.every(({ status }) => status === GNTST_okay)) return true;
  const isHeadBad = copyStatus !== GNTST_okay;
  if (!sharesSlot) xenvifIdxRelease(queue, headIndex, isHeadBad ? XEN_NETIF_RSP_ERROR : XEN_NETIF_RSP_OKAY);
  mapped.forEach((index, i) => {
    const isMapped = maps[i]!.status === GNTST_okay;
    if (isMapped) xenvifIdxUnmap(queue, index);
    const isAtFault = !isMapped || isHeadBad && index === headIndex;
    xenvifIdxRelease(queue, index, isAtFault ? XEN_NETIF_RSP_ERROR : XEN_NETIF_RSP_OKAY);
  });
  queue.stats.errors++;
  return false;
}

/** Unmaps one slot now. @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_idx_unmap */
export function xenvifIdxUnmap(queue: XenvifQueue, index: number): void {
  const { kernel } = queue.vif;
  const page = queue.mmapPages[index]!;
  const handle = queue.grantTxHandle[index]!;
  if (handle === NETBACK_INVALID_HANDLE) {
    throw new KernelBug("xenvif_grant_handle_reset", "BUG()", `slot ${index} is unmapped twice`);
  }
  queue.grantTxHandle[index] = NETBACK_INVALID_HANDLE;
  const host_addr = kernel.guest.hostAddress(kernel, page);
  const unmapOps = [{ host_addr, dev_bus_addr: 0, handle, status: 1 }];
  gnttabUnmapRefs(kernel, { unmapOps, kunmapOps: [], pages: [page] });
}
