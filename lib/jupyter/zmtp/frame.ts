/**
 * Bytes of ZMTP 3.1, the protocol of ZeroMQ's sockets over TCP: greeting, commands, message frames.
 *
 * ```text
 * greeting   FF 00×7 01 7F | version 03 01 | mechanism "NULL" padded to 20 | as-server 00 | 00×31      64 bytes
 * frame      flags | size, 1 byte or 8 (LONG), big-endian | body
 * flags      1 MORE, 2 LONG, 4 COMMAND
 * command    a frame whose body is: length of name | name | data
 * ```
 *
 * Left out: the mechanisms PLAIN and CURVE, and the protocols before 3.0.
 *
 * @module
 */

const MORE = 1;
const LONG = 2;
const COMMAND = 4;

/** Length of a greeting. */
export const GREETING_BYTES = 64;

/** One frame as it was received. */
export interface Frame {
  readonly isCommand: boolean;
  /** Whether the message goes on in the next frame. */
  readonly hasMore: boolean;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What is said first, by both sides. */
export function greeting(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(GREETING_BYTES);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]);
  bytes.set(new TextEncoder().encode("NULL"), 12);
  return bytes;
}

/** Why a peer's greeting is refused, or nothing if it is not. */
export function greetingFault(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0xff || (bytes[9]! & 1) === 0) return "it does not speak ZMTP";
  if (bytes[10]! < 3) return `it speaks ZMTP ${bytes[10]}, not 3`;
  const mechanism = new TextDecoder().decode(bytes.subarray(12, 32)).replaceAll("\0", "");
  return mechanism === "NULL" ? undefined : `it wants the mechanism ${mechanism}`;
}

/** A message of several frames, ready to be sent. */
export function messageBytes(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joined(
    frames.flatMap((frame, i) => [header(frame.length, i < frames.length - 1 ? MORE : 0), frame]),
  );
}

/** A command, ready to be sent. */
export function commandBytes(name: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const word = new TextEncoder().encode(name);
  return joined([header(1 + word.length + data.length, COMMAND), Uint8Array.of(word.length), word, data]);
}

/** Name and data of a command's body. */
export function readCommand(body: Uint8Array<ArrayBuffer>): { name: string; data: Uint8Array<ArrayBuffer> } {
  const end = 1 + (body[0] ?? 0);
  return { name: new TextDecoder().decode(body.subarray(1, end)), data: body.subarray(end) };
}

/** Properties of a socket as the READY command carries them. */
export function metadataBytes(properties: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  return joined(
    Object.entries(properties).flatMap(([name, value]) => {
      const [word, text] = [encoder.encode(name), encoder.encode(value)];
      const size = new Uint8Array(4);
      new DataView(size.buffer).setUint32(0, text.length);
      return [Uint8Array.of(word.length), word, size, text];
    }),
  );
}

/** Frames out of bytes that come in pieces of any size. */
export class FrameParser {
  #held: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** Takes the next bytes in. */
  push(bytes: Uint8Array<ArrayBuffer>): void {
    this.#held = this.#held.length === 0 ? bytes.slice() : joined([this.#held, bytes]);
  }

  /** So many bytes as they are, once they have come. */
  take(length: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#held.length < length) return undefined;
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  /** The next whole frame. */
  next(): Frame | undefined {
    const flags = this.#held[0];
    if (flags === undefined) return undefined;
    const headerBytes = (flags & LONG) === 0 ? 2 : 9;
    if (this.#held.length < headerBytes) return undefined;
    const view = new DataView(this.#held.buffer, this.#held.byteOffset);
    const size = headerBytes === 2 ? view.getUint8(1) : Number(view.getBigUint64(1));
    if (this.#held.length < headerBytes + size) return undefined;
    this.take(headerBytes);
    return { isCommand: (flags & COMMAND) !== 0, hasMore: (flags & MORE) !== 0, body: this.take(size)! };
  }
}

function header(size: number, flags: number): Uint8Array<ArrayBuffer> {
  if (size < 256) return Uint8Array.of(flags, size);
  const bytes = new Uint8Array(9);
  bytes[0] = flags | LONG;
  new DataView(bytes.buffer).setBigUint64(1, BigInt(size));
  return bytes;
}

/** Byte arrays one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
