/**
 * Futexes as users of memory: a private one is known by its address alone, a shared one by the object behind the page,
 * which a page that belongs to no file and to no anonymous memory has not.
 *
 * @cite linux 6.1 kernel/futex/core.c get_futex_key
 * @module
 */

import { type Errno, fail, ok, type SysResult } from "../core/errno.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { findVma } from "../linux/mm/find_vma.ts";
import { getUserPagesFast, releaseUserPages } from "../linux/mm/gup.ts";
import { FOLL_GET, FOLL_WRITE } from "../linux/mm/gup_flags.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import { PG_anon } from "../linux/mm/page.ts";
import { copyFromUser } from "../linux/mm/user_copy.ts";

/** Which futex: word-aligned address, and whether processes share it. */
export interface FutexWord {
  readonly address: number;
  readonly shared: boolean;
}

/** The key: null if there is one, else EINVAL (not aligned) or EFAULT. */
export function getFutexKey(mm: MmStruct, { address, shared }: FutexWord): Errno | null {
  if (address % 4 !== 0) return "EINVAL";
  if (!shared) return null;
  const page = address - address % PAGE_SIZE;
  let gupFlags = FOLL_GET | FOLL_WRITE;
  let got = getUserPagesFast(mm, page, 1, gupFlags);
  if (!got.ok) {
    gupFlags = FOLL_GET;
    got = getUserPagesFast(mm, page, 1, gupFlags);
  }
  if (!got.ok) return got.errno;
  const [found] = got.value.pages;
  const isAnon = (mm.system.memMap.flags[found!]! & PG_anon) !== 0;
  // `page->mapping`: the page cache of a file, which pages of a driver are not in.
  const cache = findVma(mm, address)?.file?.pageCache ?? null;
  const hasMapping = cache !== null && [...cache.entries()].some(([, cached]) => cached === found);
  releaseUserPages(mm, got.value.pages, gupFlags);
  return isAnon || hasMapping ? null : "EFAULT";
}

/** FUTEX_WAIT up to the point at which it sleeps: EAGAIN if the word is not the one expected, EFAULT. @cite linux 6.1 kernel/futex/waitwake.c futex_wait_setup */
export function futexWaitSetup(mm: MmStruct, word: FutexWord, expected: number): SysResult<0> {
  const errno = getFutexKey(mm, word);
  if (errno !== null) return fail(errno);
  const bytes = copyFromUser(mm, 0, word.address, 4);
  if (!bytes.ok) return fail("EFAULT");
  return futexValue(bytes.value) === expected >>> 0 ? ok(0) : fail("EAGAIN");
}

/** FUTEX_WAKE: how many of `waiters` are woken, at most `count`. @cite linux 6.1 kernel/futex/waitwake.c futex_wake */
export function futexWake(mm: MmStruct, word: FutexWord, waiters: number, count: number): SysResult<number> {
  const errno = getFutexKey(mm, word);
  return errno === null ? ok(Math.min(waiters, count)) : fail(errno);
}

/** The word's value. */
export function futexValue(bytes: Uint8Array): number {
  return (bytes[0]! | bytes[1]! << 8 | bytes[2]! << 16 | bytes[3]! << 24) >>> 0;
}
