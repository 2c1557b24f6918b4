/**
 * One peer of a ZeroMQ socket: handshake, then messages both ways. Messages leave in the order of `send`; nothing is
 * dropped while the peer is there, however slow it reads.
 *
 * @module
 */

import {
  commandBytes,
  FrameParser,
  greeting,
  GREETING_BYTES,
  greetingFault,
  joined,
  messageBytes,
  metadataBytes,
  readCommand,
} from "./frame.ts";

/** What ZeroMQ calls a socket that does this. */
export type SocketType = "ROUTER" | "DEALER" | "PUB" | "SUB" | "REP" | "REQ";

/** Frames of a message. */
export type Message = readonly Uint8Array<ArrayBuffer>[];

/** What a connection tells its socket. */
export interface ConnectionEvents {
  readonly onMessage: (message: Message, connection: Connection) => void;
  /** A subscription by command (ZMTP 3.1); one by message (3.0) comes through `onMessage`. */
  readonly onSubscription?: (topic: Uint8Array, isOn: boolean, connection: Connection) => void;
}

/** A peer. */
export class Connection {
  /** Settles when the handshake is done; never rejects, see `closed`. */
  readonly ready: Promise<void>;
  /** Settles when the peer is gone, with the reason. */
  readonly closed: Promise<string>;
  readonly #conn: Deno.Conn;
  readonly #events: ConnectionEvents;
  readonly #parser = new FrameParser();
  readonly #handshake = Promise.withResolvers<void>();
  #outgoing: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #isOpen = true;

  constructor(conn: Deno.Conn, type: SocketType, events: ConnectionEvents) {
    this.#conn = conn;
    this.#events = events;
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
    this.ready = this.#handshake.promise;
    this.closed = this.#read().catch((error: Error) => error.message).finally(() => this.close());
    this.#write(
      joined([greeting(), commandBytes("READY", metadataBytes({ "Socket-Type": type, Identity: "" }))]),
    );
  }

  /** Puts a message behind those not yet sent. */
  send(message: readonly Uint8Array[]): void {
    this.#write(messageBytes(message));
  }

  /** Settles when everything sent so far has left this process, or the peer has gone. */
  async flushed(): Promise<void> {
    while (this.#isOpen && this.#writing !== undefined) await this.#writing;
  }

  /** Bytes that have not left yet, those on their way not counted. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#outgoing = [];
    try {
      this.#conn.close();
    } catch {
      // Closed by the peer in the same moment.
    }
  }

  #write(bytes: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#outgoing.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#outgoing.length > 0) {
        const bytes = this.#outgoing.length === 1 ? this.#outgoing[0]! : joined(this.#outgoing);
        this.#outgoing = [];
        this.#waitingBytes = 0;
        for (let done = 0; done < bytes.length;) done += await this.#conn.write(bytes.subarray(done));
      }
    } catch {
      this.close();
    }
    // In the same turn as the loop's last look, or what is sent in between would stay.
    this.#writing = undefined;
  }

  async #read(): Promise<string> {
    const buffer = new Uint8Array(65536);
    let isGreeted = false;
    let frames: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const n = await this.#conn.read(buffer);
      if (n === null) return "the peer has closed the connection";
      this.#parser.push(buffer.subarray(0, n));
      if (!isGreeted) {
        const bytes = this.#parser.take(GREETING_BYTES);
        if (bytes === undefined) continue;
        const fault = greetingFault(bytes);
        if (fault !== undefined) return fault;
        isGreeted = true;
      }
      for (let frame = this.#parser.next(); frame !== undefined; frame = this.#parser.next()) {
        if (frame.isCommand) this.#command(frame.body.slice());
        else {
          frames.push(frame.body.slice());
          if (frame.hasMore) continue;
          const message = frames;
          frames = [];
          this.#events.onMessage(message, this);
        }
      }
    }
  }

  #command(body: Uint8Array<ArrayBuffer>): void {
    const { name, data } = readCommand(body);
    if (name === "READY") this.#handshake.resolve();
    // A PING has two bytes of time to live, then what the PONG must repeat.
    else if (name === "PING") this.#write(commandBytes("PONG", data.subarray(2)));
    else if (name === "SUBSCRIBE" || name === "CANCEL") {
      this.#events.onSubscription?.(data, name === "SUBSCRIBE", this);
    }
  }
}
