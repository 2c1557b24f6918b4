/**
 * The file of a saved host.
 *
 * ```text
 *  0        8         12         16        16+n                            16+n+4096·m    end
 *  ┌────────┬─────────┬──────────┬─────────┬───────────────────────────────┬──────────────┐
 *  │ magic  │ version │ length n │ state   │ content of m frames, in order │ check, 8 B   │
 *  └────────┴─────────┴──────────┴─────────┴───────────────────────────────┴──────────────┘
 * ```
 *
 * Numbers are little-endian. State is JSON. The check is a hash of everything before it, so a torn file is noticed, and
 * it is the digest of the host: two hosts with equal digests are equal.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";

/** First bytes of every file. */
export const MAGIC = "GLXENHST";
/** Version that is written; the only one that is read. */
export const SNAPSHOT_VERSION = 2;
/** Bytes before the state. */
const HEADER = 16;
/** Bytes of the check. */
const CHECK = 8;

/** A file that cannot be loaded. The message says why. */
export class BadSnapshot extends Error {
  override readonly name = "BadSnapshot";
}

/** The parts of a file. */
export interface SnapshotParts {
  /** JSON value. */
  readonly state: unknown;
  /** Bytes of the frames, one after the other. */
  readonly frames: Uint8Array;
}

/** Puts a file together. */
export function encodeSnapshot({ state, frames }: SnapshotParts): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(state));
  const bytes = new Uint8Array(HEADER + text.length + frames.length + CHECK);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC), 0);
  view.setUint32(8, SNAPSHOT_VERSION, true);
  view.setUint32(12, text.length, true);
  bytes.set(text, HEADER);
  bytes.set(frames, HEADER + text.length);
  bytes.set(checkOf(bytes.subarray(0, bytes.length - CHECK)), bytes.length - CHECK);
  return bytes;
}

/** Takes a file apart. @throws {BadSnapshot} if it is torn, foreign or of another version */
export function decodeSnapshot(bytes: Uint8Array): SnapshotParts {
  const decoder = new TextDecoder();
  if (bytes.length < MAGIC.length || decoder.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new BadSnapshot("Cannot load a host: the file is none, its first bytes are something else");
  }
  if (bytes.length < HEADER + CHECK) {
    throw new BadSnapshot(`Cannot load a host: the file is torn, it has ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8, true);
  if (version !== SNAPSHOT_VERSION) {
    throw new BadSnapshot(
      `Cannot load a host: the file has version ${version}, this program reads ${SNAPSHOT_VERSION}`,
    );
  }
  const check = checkOf(bytes.subarray(0, bytes.length - CHECK));
  if (check.some((byte, i) => byte !== bytes[bytes.length - CHECK + i])) {
    throw new BadSnapshot("Cannot load a host: the file is torn, its check does not fit its content");
  }
  const end = HEADER + view.getUint32(12, true);
  const frames = bytes.subarray(end, bytes.length - CHECK);
  if (end > bytes.length - CHECK || frames.length % PAGE_SIZE !== 0) {
    throw new BadSnapshot("Cannot load a host: the lengths inside the file do not fit its size");
  }
  try {
    return { state: JSON.parse(decoder.decode(bytes.subarray(HEADER, end))), frames };
  } catch (e) {
    throw new BadSnapshot(`Cannot load a host: its state is not JSON: ${(e as Error).message}`);
  }
}

/** The check of a file, in hexadecimal. */
export function digestOf(file: Uint8Array): string {
  return [...file.subarray(file.length - CHECK)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Two FNV-1a hashes with different beginnings. */
function checkOf(bytes: Uint8Array): Uint8Array {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193);
    b = Math.imul(b ^ bytes[i]!, 0x01000193) + (a >>> 15) | 0;
  }
  const check = new Uint8Array(CHECK);
  new DataView(check.buffer).setUint32(0, a >>> 0, true);
  new DataView(check.buffer).setUint32(4, b >>> 0, true);
  return check;
}
