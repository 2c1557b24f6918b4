/**
 * A run from the guest: build, one hypercall of copies, one of maps, then packet by packet to the stack.
 *
 * @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_tx_action
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { gnttabBatchCopy, gnttabMapRefs } from "../../linux/xen/gnttab.ts";
import { EV } from "../../trace/events.ts";
import { XEN_NETIF_RSP_OKAY } from "../netif/netif.ts";
import { copyBytes, kfreeSkb, MAX_SKB_FRAGS, type Skb, type SkbFrag } from "./skb.ts";
import { xenvifZerocopyCallback } from "./tx_dealloc.ts";
import { type TxPacket, xenvifTxBuildGops } from "./tx_build_gops.ts";
import { xenvifTxCheckGop } from "./tx_check_gop.ts";
import { xenvifIdxRelease } from "./tx_response.ts";
import type { XenvifQueue } from "./xenvif.ts";

/** Takes packets until the ring is empty or the interface is disabled; how many went to the stack. @cite linux 6.1 drivers/net/xen-netback/interface.c xenvif_poll */
export function xenvifPoll(queue: XenvifQueue): number {
  let done = 0;
  while (!queue.vif.isDisabled && (queue.tx.unconsumed > 0 || queue.tx.finalCheck())) {
    done += xenvifTxAction(queue);
  }
  return done;
}

/** One run. */
export function xenvifTxAction(queue: XenvifQueue): number {
  const { kernel } = queue.vif;
  const { packets, copyOps, mapOps, mapPages } = xenvifTxBuildGops(queue);
  if (packets.length === 0) return 0;
  gnttabBatchCopy(kernel, copyOps);
  if (mapOps.length > 0) gnttabMapRefs(kernel, { mapOps, kmapOps: [], pages: mapPages });
  let done = 0;
  let nextMap = 0;
  packets.forEach((packet, i) => {
    const maps = mapOps.slice(nextMap, nextMap += packet.mapped.length);
    if (xenvifTxCheckGop(queue, packet, copyOps[i]!.status, maps)) {
      submit(queue, packet);
      done++;
    } else kfreeSkb(packet.skb);
  });
  return done;
}

/** @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_tx_submit */
function submit(queue: XenvifQueue, { skb, headIndex, mapped }: TxPacket): void {
  if (mapped[0] !== headIndex) xenvifIdxRelease(queue, headIndex, XEN_NETIF_RSP_OKAY);
  fillFrags(queue, skb, headIndex, mapped);
  const isOverflow = skb.frags.length > MAX_SKB_FRAGS;
  if (mapped.length > 0) {
    queue.stats.zerocopySent += isOverflow ? 2 : 1;
    skb.zerocopy = (copied) => xenvifZerocopyCallback(queue, mapped, copied);
  }
  if (isOverflow && !handleFragList(queue, skb)) return kfreeSkb(skb);
  queue.stats.fromGuest++;
  queue.stats.fromGuestBytes += skb.len;
  queue.vif.netifReceiveSkb(skb, queue);
}

/** The mapped slots as parts of the packet, each with a reference of its own. @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_fill_frags */
function fillFrags(queue: XenvifQueue, skb: Skb, headIndex: number, mapped: readonly number[]): void {
  for (const index of mapped) {
    const { offset, size } = queue.pendingTx[index]!;
    const page = queue.mmapPages[index]!;
    const copied = index === headIndex ? skb.head.size : 0;
    skb.frags.push({ page, offset: offset + copied, size: size - copied });
    skb.system.memMap.getPage(page);
  }
}

/**
 * More parts than a packet has room for: all of them copied into pages of the kernel's own.
 *
 * @cite linux 6.1 drivers/net/xen-netback/netback.c xenvif_handle_frag_list
 */
function handleFragList(queue: XenvifQueue, skb: Skb): boolean {
  const { system } = skb;
  const total = skb.frags.reduce((sum, { size }) => sum + size, 0);
  const pages: number[] = [];
  for (let i = 0; i < Math.ceil(total / PAGE_SIZE); i++) {
    const page = system.memMap.allocPage();
    if (page < 0) {
      for (const taken of pages) system.memMap.putPage(taken);
      return false;
    }
    pages.push(page);
  }
  queue.stats.fragOverflow++;
  system.trace.add(EV.local_copy_bytes, total);
  let at = 0;
  for (const { page, offset, size } of skb.frags) {
    for (let done = 0; done < size;) {
      const n = Math.min(size - done, PAGE_SIZE - at % PAGE_SIZE);
      copyBytes(system, pages[Math.floor(at / PAGE_SIZE)]!, at % PAGE_SIZE, page, offset + done, n);
      at += n;
      done += n;
    }
    system.memMap.putPage(page);
  }
  skb.frags = pages.map((page, i): SkbFrag => ({
    page,
    offset: 0,
    size: Math.min(PAGE_SIZE, total - i * PAGE_SIZE),
  }));
  const { zerocopy } = skb;
  skb.zerocopy = null;
  zerocopy?.(true);
  return true;
}
