/**
 * Jupyter's messages on the wire: identities, a delimiter, an HMAC-SHA256 signature, and four parts of JSON.
 *
 * ```text
 * identity… | <IDS|MSG> | signature, hex | header | parent header | metadata | content | buffer…
 * ```
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** Version of the messaging protocol that the kernel speaks. */
export const PROTOCOL_VERSION = "5.3";

/** Whose message it is, and what it is. */
export interface Header {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly version: string;
}

/** JSON objects of unknown shape. */
export type Content = Readonly<Record<string, unknown>>;

/** A message. */
export interface JupyterMessage {
  /** Where answers are routed; empty with a direct peer. */
  readonly identities: readonly Uint8Array[];
  readonly header: Header;
  /** The header of the request that this belongs to, or nothing. */
  readonly parentHeader: Header | Record<string, never>;
  readonly metadata: Content;
  readonly content: Content;
}

const DELIMITER = "<IDS|MSG>";

/** Writes and reads the messages of one side of a connection: one key, one session's name. */
export class MessageCodec {
  readonly #key: string;
  readonly #session: string;
  #sent = 0;

  /** @param key of the connection file; empty if nothing is signed */
  constructor(key: string, session: string = crypto.randomUUID()) {
    this.#key = key;
    this.#session = session;
  }

  /** A header of ours. */
  header(type: string): Header {
    return {
      msg_id: `${this.#session}_${++this.#sent}`,
      msg_type: type,
      session: this.#session,
      username: "grantlab",
      date: new Date().toISOString(),
      version: PROTOCOL_VERSION,
    };
  }

  /** Frames of a message. */
  encode(message: JupyterMessage): Uint8Array[] {
    const encoder = new TextEncoder();
    const { header, parentHeader, metadata, content } = message;
    const parts = [header, parentHeader, metadata, content].map((part) =>
      encoder.encode(JSON.stringify(part))
    );
    return [
      ...message.identities,
      encoder.encode(DELIMITER),
      encoder.encode(this.#sign(parts)),
      ...parts,
    ];
  }

  /**
   * The message in some frames.
   *
   * @throws {Error} if they are none, or not signed with our key
   */
  decode(frames: readonly Uint8Array[]): JupyterMessage {
    const decoder = new TextDecoder();
    const at = frames.findIndex((frame) =>
      frame.length === DELIMITER.length && decoder.decode(frame) === DELIMITER
    );
    const parts = frames.slice(at + 2, at + 6);
    if (at < 0 || parts.length < 4) throw new Error("Cannot read a message: it has too few frames");
    if (this.#key !== "") {
      const expected = Buffer.from(this.#sign(parts));
      const given = Buffer.from(frames[at + 1]!);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new Error("Cannot read a message: its signature is wrong");
      }
    }
    const [header, parentHeader, metadata, content] = parts.map((part) => JSON.parse(decoder.decode(part)));
    return { identities: frames.slice(0, at), header, parentHeader, metadata, content };
  }

  #sign(parts: readonly Uint8Array[]): string {
    if (this.#key === "") return "";
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }
}
