/**
 * The sockets that a kernel binds: ROUTER (requests, answered on the connection that they came by), PUB (to those who
 * have subscribed) and REP for the heartbeat (an echo).
 *
 * @module
 */

import { Connection, type Message, type SocketType } from "./connection.ts";

/** Bytes waiting for a subscriber that make it one far behind. */
const MUCH = 8 << 20;

/** Where a socket is bound; port 0 takes a free one. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** A bound socket and its peers. */
abstract class Server {
  /** The port that it has. */
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #peers = new Set<Connection>();

  constructor(address: Address, type: SocketType) {
    this.#listener = Deno.listen(address);
    this.port = this.#listener.addr.port;
    void this.#accept(type);
  }

  protected abstract onMessage(message: Message, peer: Connection): void;
  protected onSubscription(_topic: Uint8Array, _isOn: boolean, _peer: Connection): void {}
  protected onGone(_peer: Connection): void {}

  /** Sends off what waits, then lets everybody go. */
  async close(): Promise<void> {
    await within(1000, Promise.all([...this.#peers].map((peer) => peer.flushed())));
    this.#listener.close();
    const gone = [...this.#peers].map((peer) => peer.closed);
    for (const peer of this.#peers) peer.close();
    await Promise.all(gone);
  }

  async #accept(type: SocketType): Promise<void> {
    for await (const conn of this.#listener) {
      const peer = new Connection(conn, type, {
        onMessage: (message, from) => this.onMessage(message, from),
        onSubscription: (topic, isOn, from) => this.onSubscription(topic, isOn, from),
      });
      this.#peers.add(peer);
      void peer.closed.then(() => {
        this.#peers.delete(peer);
        this.onGone(peer);
      });
    }
  }
}

/** Takes requests; an answer goes where its request came from. */
export class RouterServer extends Server {
  readonly #receive: (message: Message, reply: (message: readonly Uint8Array[]) => void) => void;

  constructor(
    address: Address,
    receive: (message: Message, reply: (message: readonly Uint8Array[]) => void) => void,
  ) {
    super(address, "ROUTER");
    this.#receive = receive;
  }

  protected override onMessage(message: Message, peer: Connection): void {
    this.#receive(message, (answer) => peer.send(answer));
  }
}

/** Answers each message with itself. */
export class EchoServer extends Server {
  constructor(address: Address) {
    super(address, "REP");
  }

  protected override onMessage(message: Message, peer: Connection): void {
    peer.send(message);
  }
}

/** Sends to every peer that has subscribed to a prefix of a message's first frame. */
export class PubServer extends Server {
  readonly #topics = new Map<Connection, string[]>();
  #subscribed = Promise.withResolvers<void>();

  constructor(address: Address) {
    super(address, "PUB");
  }

  publish(message: readonly Uint8Array[]): void {
    const topic = latin1(message[0]!);
    for (const [peer, topics] of this.#topics) {
      if (topics.some((prefix) => topic.startsWith(prefix))) peer.send(message);
    }
  }

  /** Settles when no subscriber is far behind, or after a second: one that does not read must not stop the others. */
  async room(): Promise<void> {
    const behind = [...this.#topics.keys()].filter((peer) => peer.waitingBytes > MUCH);
    if (behind.length > 0) await within(1000, Promise.all(behind.map((peer) => peer.flushed())));
  }

  /** Settles as soon as anybody has subscribed to anything, or after a time. */
  async audience(patienceMs: number): Promise<void> {
    if (this.#topics.size === 0) await within(patienceMs, this.#subscribed.promise);
  }

  /** ZMTP 3.0 subscribes by messages: 1 or 0, then the topic. */
  protected override onMessage([first]: Message, peer: Connection): void {
    if (first === undefined || first[0] === undefined || first[0] > 1) return;
    this.onSubscription(first.subarray(1), first[0] === 1, peer);
  }

  protected override onSubscription(topic: Uint8Array, isOn: boolean, peer: Connection): void {
    const topics = this.#topics.get(peer) ?? [];
    const prefix = latin1(topic);
    if (isOn) topics.push(prefix);
    else if (topics.includes(prefix)) topics.splice(topics.indexOf(prefix), 1);
    if (topics.length > 0) this.#topics.set(peer, topics);
    else this.onGone(peer);
    if (this.#topics.size > 0) this.#subscribed.resolve();
  }

  protected override onGone(peer: Connection): void {
    this.#topics.delete(peer);
    if (this.#topics.size === 0) this.#subscribed = Promise.withResolvers();
  }
}

/** Settles with a promise or after a time. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, over]);
  clearTimeout(timer);
}

/** Bytes as characters, one each: prefixes of topics are compared byte by byte. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
