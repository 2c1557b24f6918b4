/**
 * A packet in dom0: first bytes in memory of the kernel's own, the rest in parts of pages, which may be a guest's.
 *
 * A packet whose parts are a guest's tells its sender when nobody needs them any more: that is the zero-copy callback.
 * Whoever wants to keep the packet for long copies those parts first ("orphans" them), so that a guest's memory never
 * waits for a program of dom0.
 *
 * @cite linux 6.1 include/linux/skbuff.h sk_buff
 * @module
 */

import { maddrOf, type Mfn } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import type { MmSystem } from "../../linux/mm/mm_system.ts";
import { EV } from "../../trace/events.ts";

/** A part of a page. */
export interface SkbFrag {
  /** By pfn. */
  page: number;
  offset: number;
  size: number;
}

/** Parts that a packet has room for. @cite linux 6.1 include/linux/skbuff.h MAX_SKB_FRAGS */
export const MAX_SKB_FRAGS = 17;

/** A packet. */
export class Skb {
  /** The kernel's own memory; `head.size` bytes of it are used. */
  readonly head: SkbFrag;
  frags: SkbFrag[] = [];
  /** Called when the parts are not needed any more; `copied`: because they were copied. Null: they are the kernel's own. */
  zerocopy: ((copied: boolean) => void) | null = null;
  /** Holders of the data: the packet and its clones. */
  dataref = 1;
  /** When a packet that waits for a guest is given up, in milliseconds. */
  expiresMs = Infinity;

  constructor(readonly system: MmSystem, headPage: number, headSize: number) {
    this.head = { page: headPage, offset: 0, size: headSize };
  }

  /** Bytes in all. */
  get len(): number {
    return this.frags.reduce((sum, { size }) => sum + size, this.head.size);
  }

  /** Head, then parts. */
  get pieces(): readonly SkbFrag[] {
    return [this.head, ...this.frags];
  }
}

/** One more holder: a clone shares the data. @cite linux 6.1 net/core/skbuff.c skb_clone */
export function skbClone(skb: Skb): Skb {
  skb.dataref++;
  return skb;
}

/** A holder is done; with the last one parts and head go, and the sender of the parts is told. @cite linux 6.1 net/core/skbuff.c skb_release_data */
export function kfreeSkb(skb: Skb): void {
  if (--skb.dataref > 0) return;
  const { memMap } = skb.system;
  for (const { page } of skb.frags) memMap.putPage(page);
  skb.frags = [];
  const { zerocopy } = skb;
  skb.zerocopy = null;
  zerocopy?.(false);
  memMap.putPage(skb.head.page);
}

/**
 * Makes the parts the kernel's own. False if there is no memory: the packet is to be dropped then.
 *
 * @cite linux 6.1 net/core/skbuff.c skb_copy_ubufs
 */
export function skbOrphanFrags(skb: Skb): boolean {
  if (skb.zerocopy === null) return true;
  const { system } = skb;
  const copies: SkbFrag[] = [];
  for (const frag of skb.frags) {
    const page = system.memMap.allocPage();
    if (page < 0) {
      for (const copy of copies) system.memMap.putPage(copy.page);
      return false;
    }
    system.trace.add(EV.local_copy_bytes, frag.size);
    copyBytes(system, page, 0, frag.page, frag.offset, frag.size);
    copies.push({ page, offset: 0, size: frag.size });
  }
  for (const { page } of skb.frags) system.memMap.putPage(page);
  skb.frags = copies;
  const { zerocopy } = skb;
  skb.zerocopy = null;
  zerocopy(true);
  return true;
}

/** Copies bytes from page to page of a kernel. */
export function copyBytes(
  system: MmSystem,
  toPage: number,
  toOffset: number,
  fromPage: number,
  fromOffset: number,
  size: number,
): void {
  const to = system.frameOf(toPage, true);
  const from = system.frameOf(fromPage);
  for (let i = 0; i < size; i++) {
    system.mem.write8(maddrOf(to, toOffset + i), system.mem.read8(maddrOf(from, fromOffset + i)));
  }
}

/** The bytes as whoever reads the packet now finds them: a network card, a program. */
export function skbBytes(skb: Skb): Uint8Array {
  const { system } = skb;
  const bytes = new Uint8Array(skb.len);
  let at = 0;
  for (const { page, offset, size } of skb.pieces) {
    const frame = system.frameOf(page);
    const isThere = frame >= 0 && offset + size <= PAGE_SIZE;
    for (let i = 0; i < size; i++) {
      bytes[at++] = isThere ? system.mem.read8(maddrOf(frame as Mfn, offset + i)) : 0xff;
    }
  }
  return bytes;
}
