/**
 * Packets by their bytes: how a card of dom0 leaves them in pages, one of known bytes, and how two are compared.
 *
 * @module
 */

import { maddrOf } from "../core/frames.ts";
import { wholeNumber, wrongType } from "../core/misuse.ts";
import { Skb } from "../drivers/netback/skb.ts";
import type { MmSystem } from "../linux/mm/mm_system.ts";

/** Checks that packets may be gone through, and answers each checked. */
export function* checkedPackets(packets: Iterable<Uint8Array>): Generator<Uint8Array> {
  if (typeof packets === "string" || typeof packets?.[Symbol.iterator] !== "function") {
    throw wrongType(
      "send packets",
      packets,
      "it must be a list of Uint8Array, or what netWorkload() answers",
    );
  }
  for (const packet of packets) {
    if (!(packet instanceof Uint8Array)) throw wrongType("send a packet", packet, "it must be a Uint8Array");
    yield packet;
  }
}

/** A packet in pages of dom0; null if there is no memory. */
export function skbOf(system: MmSystem, packet: Uint8Array, fragBytes: number): Skb | null {
  const { memMap, mem } = system;
  const pages: number[] = [];
  const store = (part: Uint8Array) => {
    const page = memMap.allocPage();
    if (page < 0) return -1;
    pages.push(page);
    const frame = system.frameOf(page, true);
    part.forEach((byte, i) => mem.write8(maddrOf(frame, i), byte));
    return page;
  };
  const head = store(packet.subarray(0, HEAD_BYTES));
  const skb = new Skb(system, head, Math.min(HEAD_BYTES, packet.length));
  for (let at = HEAD_BYTES; at < packet.length && pages.every((page) => page >= 0); at += fragBytes) {
    const part = packet.subarray(at, at + fragBytes);
    skb.frags.push({ page: store(part), offset: 0, size: part.length });
  }
  if (pages.length === 1 + skb.frags.length) return skb;
  for (const page of pages) memMap.putPage(page);
  return null;
}

/** Bytes that a card leaves in front. */
const HEAD_BYTES = 66;

/** A packet of known bytes. */
export function patternOf(bytes: number): Uint8Array {
  wholeNumber("send a packet of bytes", bytes, 1, 65535);
  return Uint8Array.from({ length: bytes }, (_, i) => i * 7 + bytes & 0xff);
}

/** Equal for equal packets, and hardly ever for others. */
export function keyOf(packet: Uint8Array): string {
  let a = 1;
  let b = 0;
  for (const byte of packet) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return `${packet.length}:${a}:${b}`;
}
