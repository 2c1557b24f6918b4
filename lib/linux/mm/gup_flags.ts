/**
 * FOLL_* flags of get_user_pages.
 *
 * @cite linux 6.1 include/linux/mm_types.h FOLL_WRITE
 * @module
 */

/** Check that the entry is writable. */
export const FOLL_WRITE = 0x01;
/** Mark the page accessed, and dirty for a write. */
export const FOLL_TOUCH = 0x02;
/** Take a reference on the page. */
export const FOLL_GET = 0x04;
/** Fail instead of answering the zero page or a page without a struct. */
export const FOLL_DUMP = 0x08;
/** Get past rights, for ptrace. */
export const FOLL_FORCE = 0x10;
/** Do not wait for a page to be read from disk: nothing waits here. */
export const FOLL_NOWAIT = 0x20;
/** Do not fault. */
export const FOLL_NOFAULT = 0x80;
/** Tell poisoned pages apart: there are none here. */
export const FOLL_HWPOISON = 0x100;
/** A retry after the lock was dropped: it never is here. */
export const FOLL_TRIED = 0x800;
/** The memory is another process's: protection keys do not count. */
export const FOLL_REMOTE = 0x2000;
/** Only anonymous memory. */
export const FOLL_ANON = 0x8000;
/** The pin may last: pages must be fit for it. */
export const FOLL_LONGTERM = 0x10000;
/** Split a transparent huge page first: there are none here. */
export const FOLL_SPLIT_PMD = 0x20000;
/** Pin instead of reference. */
export const FOLL_PIN = 0x40000;
/** No slow path. */
export const FOLL_FAST_ONLY = 0x80000;
