/**
 * What a stream socket does to the memory that is sent: it is copied on the way in and on the way out, so no page of
 * the sender is held.
 *
 * @cite linux 6.1 net/unix/af_unix.c unix_stream_sendmsg
 * @module
 */

import type { SysResult } from "../core/errno.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import { readUserBytes, writeUserBytes } from "./user_bytes.ts";

/** Bytes on their way from one end to the other. */
export class ByteQueue {
  #bytes: number[] = [];

  /** sendmsg: bytes of the program are queued. */
  send(mm: MmStruct, address: number, length: number): SysResult<number> {
    const taken = readUserBytes(mm, address, length);
    if (!taken.ok) return taken;
    for (const byte of taken.value) this.#bytes.push(byte);
    return { ok: true, value: taken.value.length };
  }

  /** recvmsg: bytes queued are stored in the program's memory. */
  receive(mm: MmStruct, address: number, length: number): SysResult<number> {
    const bytes = Uint8Array.from(this.#bytes.slice(0, length));
    const stored = writeUserBytes(mm, address, bytes);
    if (stored.ok) this.#bytes = this.#bytes.slice(stored.value);
    return stored;
  }
}
