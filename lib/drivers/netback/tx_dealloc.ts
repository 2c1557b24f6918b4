/**
 * The end of a packet's mapped slots. When nobody needs them, the zero-copy callback queues their places; a thread
 * unmaps all that are queued, up to 256 in one hypercall, and answers the front end.
 *
 * It does not wait for page references as the block back end does: that nobody needs the pages is what the callback
 * says, and those who keep a packet have copied it.
 *
 * @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_tx_dealloc_action
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import { gnttabUnmapRefs } from "../../linux/xen/gnttab.ts";
import { XEN_NETIF_RSP_OKAY } from "../netif/netif.ts";
import { xenvifIdxRelease } from "./tx_response.ts";
import { MAX_PENDING_REQS, NETBACK_INVALID_HANDLE, type XenvifQueue } from "./xenvif.ts";

/** The slots of a packet are free. `copied`: because the packet was kept. @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_zerocopy_callback */
export function xenvifZerocopyCallback(
  queue: XenvifQueue,
  places: readonly number[],
  copied: boolean,
): void {
  if (queue.dealloc.length + places.length > MAX_PENDING_REQS) {
    throw new KernelBug(
      "xenvif_zerocopy_callback",
      "BUG_ON(dealloc_prod - dealloc_cons >= MAX_PENDING_REQS)",
      "",
    );
  }
  queue.dealloc.push(...places);
  if (copied) queue.stats.zerocopyFail++;
  else queue.stats.zerocopySuccess++;
  if (queue.isDeallocScheduled) return;
  queue.isDeallocScheduled = true;
  queue.vif.kernel.work.schedule(0, () => {
    queue.isDeallocScheduled = false;
    xenvifTxDeallocAction(queue);
  });
}

/** One run of the thread. */
export function xenvifTxDeallocAction(queue: XenvifQueue): void {
  const { kernel } = queue.vif;
  const places = queue.dealloc.splice(0);
  if (places.length === 0) return;
  const unmapOps = places.map((index) => {
    const handle = queue.grantTxHandle[index]!;
    queue.grantTxHandle[index] = NETBACK_INVALID_HANDLE;
    const host_addr = kernel.guest.hostAddress(kernel, queue.mmapPages[index]!);
    return { host_addr, dev_bus_addr: 0, handle, status: 1 };
  });
  const pages = places.map((index) => queue.mmapPages[index]!);
  const rc = gnttabUnmapRefs(kernel, { unmapOps, kunmapOps: [], pages });
  if (rc !== 0) throw new KernelBug("xenvif_tx_dealloc_action", "BUG()", `the unmap was refused with ${rc}`);
  queue.stats.deallocRuns++;
  queue.stats.deallocMost = Math.max(queue.stats.deallocMost, places.length);
  for (const index of places) xenvifIdxRelease(queue, index, XEN_NETIF_RSP_OKAY);
}
