/**
 * Copies that stop where the program's memory ends, as read(2) and write(2) on buffered files do: what was copied
 * counts, and only nothing at all is an error.
 *
 * @cite linux 6.1 lib/iov_iter.c copy_page_from_iter
 * @module
 */

import { fail, ok, type SysResult } from "../core/errno.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import { copyFromUser, copyToUser } from "../linux/mm/user_copy.ts";

/** Bytes of a program, at most `length`; EFAULT if the first cannot be read. */
export function readUserBytes(mm: MmStruct, address: number, length: number): SysResult<Uint8Array> {
  const parts: number[] = [];
  for (const [at, n] of piecesOf(address, length)) {
    const part = copyFromUser(mm, 0, at, n);
    if (!part.ok) break;
    for (const byte of part.value) parts.push(byte);
  }
  return parts.length === 0 && length > 0 ? fail("EFAULT") : ok(Uint8Array.from(parts));
}

/** Stores bytes in a program's memory: how many; EFAULT if not even the first. */
export function writeUserBytes(mm: MmStruct, address: number, bytes: Uint8Array): SysResult<number> {
  let done = 0;
  for (const [at, n] of piecesOf(address, bytes.length)) {
    if (!copyToUser(mm, 0, at, bytes.subarray(done, done + n)).ok) break;
    done += n;
  }
  return done === 0 && bytes.length > 0 ? fail("EFAULT") : ok(done);
}

/** Pieces `[address, length]` that do not cross pages. */
function* piecesOf(address: number, length: number): Generator<[number, number]> {
  for (let done = 0; done < length;) {
    const at = address + done;
    const n = Math.min(length - done, PAGE_SIZE - at % PAGE_SIZE);
    yield [at, n];
    done += n;
  }
}
