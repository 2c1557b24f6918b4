/**
 * A network device of a guest, as people drive it: one line makes it, packets go to the wire, to a program of dom0 or to
 * another guest, and what arrives is compared with what was sent.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { tableBlock, type View } from "../core/view.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { instanceOf, outOfRange, wholeNumber } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { knownOptions } from "../core/options.ts";
import type { SysResult } from "../core/errno.ts";
import { netbackConnect, netbackDisconnect, wakeQueue } from "../drivers/netback/connect.ts";
import { xenvifRxQueueTail } from "../drivers/netback/rx_action.ts";
import { kfreeSkb, type Skb, skbBytes, skbOrphanFrags } from "../drivers/netback/skb.ts";
import { NETBACK_PARAMETERS, type NetbackParameters, type Xenvif } from "../drivers/netback/xenvif.ts";
import {
  Netfront,
  netfrontKick,
  netfrontOffer,
  netfrontPoll,
  netfrontSend,
} from "../drivers/netfront/netfront.ts";
import { guestOf } from "./blk_device.ts";
import type { Guest } from "./guest.ts";
import { checkedPackets, keyOf, patternOf, skbOf } from "./net_packets.ts";
import { NetRun } from "./net_run.ts";
import type { World } from "./world.ts";

/** How {@linkcode NetDevice} is made. Everything has a default. */
export interface NetDeviceOptions {
  /** Default: the world's guest. */
  readonly guest?: Guest;
  /** Queues. Default 1. */
  readonly queues?: number;
  readonly parameters?: Partial<NetbackParameters>;
  /**
   * Where the guest's packets go: the wire, a program of dom0 that does not read them yet, or another device. Default
   * the wire.
   */
  readonly to?: "wire" | "local" | NetDevice;
  /** Milliseconds for which the network card keeps a packet. Default 0. */
  readonly wireMs?: number;
  /** Packets for the local stack are copied first, as Linux does. Default true; false shows why it does. */
  readonly orphan?: boolean;
  /** Pages offered for packets to come. Default 64. */
  readonly rxPages?: number;
}

const KNOWN: Readonly<Record<keyof NetDeviceOptions, true | "boolean">> = {
  guest: true,
  queues: true,
  parameters: true,
  to: true,
  wireMs: true,
  orphan: "boolean",
  rxPages: true,
};

/** A device in use. */
export class NetDevice extends Shown {
  readonly front: Netfront;
  readonly back: Xenvif;
  readonly guest: Guest;
  /** What the network card sent. */
  readonly wire: Uint8Array[] = [];
  /** What waits for a program of dom0. */
  readonly local: Skb[] = [];
  #to: "wire" | "local" | NetDevice;

  constructor(readonly world: World, readonly options: NetDeviceOptions = {}) {
    super();
    knownOptions("w.net()", options, KNOWN);
    knownOptions("w.net({ parameters })", options.parameters ?? {}, NETBACK_PARAMETERS);
    world.refuseAfterCrash("make a network device");
    this.guest = guestOf(world, options.guest);
    const { to = "wire" } = options;
    if (typeof to === "string") lookUp("place for packets", { wire: true, local: true }, to);
    else instanceOf("send packets to", to, NetDevice, 'it must be "wire", "local" or a network device');
    this.#to = to;
    wholeNumber("keep packets on the wire for ms:", options.wireMs ?? 0, 0, 2 ** 40);
    wholeNumber("offer pages for packets:", options.rxPages ?? 64, 0, 2 ** 16);
    this.front = new Netfront(this.guest, world.dom0.domid, options.queues ?? 1);
    const back = netbackConnect(world.kernel, this.front.offer, {
      ...options.parameters === undefined ? {} : { parameters: options.parameters },
      receive: (skb) => this.#route(skb),
    });
    if (!back.ok) throw outOfRange("connect a network device with queues", options.queues ?? 1, back.errno);
    this.back = back.value;
    for (const queue of this.front.queues) {
      netfrontOffer(this.front, queue, options.rxPages ?? 64);
      netfrontKick(this.front, queue);
    }
    world.kernel.work.advance(0);
  }

  /** The bridge of dom0. */
  #route(skb: Skb): void {
    if (this.#to === "wire") return this.#transmit(skb);
    if (this.#to === "local") {
      if (this.options.orphan !== false && !skbOrphanFrags(skb)) return kfreeSkb(skb);
      this.local.push(skb);
      return;
    }
    const queue = this.#to.back.queues[0]!;
    xenvifRxQueueTail(queue, skb);
    wakeQueue(queue);
  }

  /** A network card reads the bytes when it sends them. */
  #transmit(skb: Skb): void {
    const send = () => {
      this.wire.push(skbBytes(skb));
      kfreeSkb(skb);
    };
    const { wireMs = 0 } = this.options;
    if (wireMs === 0) send();
    else this.world.kernel.work.schedule(wireMs, send);
  }

  /** A program of dom0 reads a packet. */
  readLocal(): Uint8Array | null {
    const skb = this.local.shift();
    if (skb === undefined) return null;
    const bytes = skbBytes(skb);
    kfreeSkb(skb);
    return bytes;
  }

  /** What has arrived where the packets go. */
  get #arrived(): readonly Uint8Array[] {
    if (this.#to === "wire") return this.wire;
    return this.#to === "local" ? this.local.map(skbBytes) : this.#to.front.received;
  }

  /**
   * Sends packets, or one of that many bytes, and lets `ms` pass.
   *
   * @throws {RangeError} if dom0 has crashed, or a packet is empty or above 65535 bytes
   *
   * @example
   * ```ts
   * import { world } from "grantlab";
   * const net = world().net();
   * const run = net.send(9000);
   * if (run.right !== 1 || run.okay !== 3) throw new Error(String(net)); // three slots
   * ```
   */
  send(what: number | Iterable<Uint8Array>, ms = 0): NetRun {
    const { world, front } = this;
    const packets = typeof what === "number" ? [patternOf(what)] : [...checkedPackets(what)];
    const before = { ...front.stats };
    const arrivedBefore = this.#arrived.length;
    const mark = world.trace.mark();
    const sent: Uint8Array[] = [];
    let turn = 0;
    world.run("send packets", () => {
      for (const packet of packets) {
        const queue = front.queues[turn++ % front.queues.length]!;
        if (!netfrontSend(front, queue, packet)) {
          this.#work(0);
          if (!netfrontSend(front, queue, packet)) break;
        }
        sent.push(packet);
      }
      this.#work(ms);
    });
    // Queues may overtake each other: packets are compared as a set.
    const arrived = this.#arrived.slice(arrivedBefore).map(keyOf);
    const wanted = new Map<string, number>();
    for (const packet of sent) wanted.set(keyOf(packet), (wanted.get(keyOf(packet)) ?? 0) + 1);
    let right = 0;
    for (const key of arrived) {
      const left = wanted.get(key) ?? 0;
      if (left === 0) continue;
      wanted.set(key, left - 1);
      right++;
    }
    return new NetRun({
      sent: sent.length,
      right,
      wrong: arrived.length - right,
      okay: front.stats.okay - before.okay,
      error: front.stats.error - before.error,
      unanswered: front.inFlight,
      events: world.trace.since(mark),
    });
  }

  /** Grows as long as anything gets on. */
  #progress(): number {
    const { stats } = this.front;
    return stats.okay + stats.error + this.#arrived.length + this.front.received.length;
  }

  /**
   * Packets come from the wire for the guest, as a network card of dom0 leaves them: the first bytes in one page, the
   * rest in parts of `fragBytes`.
   */
  deliver(packets: Iterable<Uint8Array>, fragBytes = 1448): NetRun {
    wholeNumber("deliver packets in parts of bytes", fragBytes, 1, PAGE_SIZE);
    const { world, front, back } = this;
    const { system } = world.kernel;
    const wanted: string[] = [];
    const arrivedBefore = front.received.length;
    const mark = world.trace.mark();
    for (const packet of checkedPackets(packets)) {
      const skb = skbOf(system, packet, fragBytes);
      if (skb === null) break;
      wanted.push(keyOf(packet));
      xenvifRxQueueTail(back.queues[0]!, skb);
    }
    wakeQueue(back.queues[0]!);
    const before = { ...front.stats };
    this.#work(0);
    const arrived = front.received.slice(arrivedBefore).map(keyOf);
    const right = arrived.filter((key, i) => key === wanted[i]).length;
    return new NetRun({
      sent: wanted.length,
      right,
      wrong: arrived.length - right,
      okay: front.stats.okay - before.okay,
      error: front.stats.error - before.error,
      unanswered: wanted.length - arrived.length,
      events: world.trace.since(mark),
    });
  }

  /** Shows what was queued, lets dom0 work and both ends read. */
  #work(ms: number): void {
    const ends = this.#to instanceof NetDevice ? [this, this.#to] : [this];
    let before = -1;
    for (let round = 0; before !== this.#progress(); round++) {
      before = this.#progress();
      for (const { front } of ends) for (const queue of front.queues) netfrontKick(front, queue);
      this.world.kernel.work.advance(round === 0 ? ms : 0);
      for (const { front, options } of ends) {
        for (const queue of front.queues) {
          netfrontPoll(front, queue);
          netfrontOffer(front, queue, (options.rxPages ?? 64) - queue.rxSlots.size);
        }
      }
    }
  }

  /** Takes the device away: EBUSY while packets are under way. */
  disconnect(): SysResult<0> {
    return netbackDisconnect(this.back);
  }

  override [viewOf](): View {
    const { front, back } = this;
    return {
      line: `network device of domain ${this.guest.domain.domid}: ${front.inFlight} slots under way, ` +
        `${this.wire.length} packets on the wire, ${this.local.length} wait for a program of dom0`,
      blocks: [
        tableBlock(["part", "state"], [
          ["front end", front[viewOf]().line],
          ["back end", back[viewOf]().line],
          ...back.queues.map((queue) => ["", queue[viewOf]().line]),
        ]),
      ],
    };
  }
}
