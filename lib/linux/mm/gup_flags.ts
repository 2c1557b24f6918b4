/**
 * FOLL_* flags of get_user_pages.
 *
 * @cite linux 6.1 include/linux/mm_types.h FOLL_WRITE
 * @module
 */

/** Check that the entry is writable. */
export const FOLL_WRITE = 0x01;
/** Take a reference on the page. */
export const FOLL_GET = 0x04;
/** Fail instead of answering the zero page or a page without a struct. */
export const FOLL_DUMP = 0x08;
/** Get past rights, for ptrace. */
export const FOLL_FORCE = 0x10;
/** Do not fault. */
export const FOLL_NOFAULT = 0x80;
/** The pin may last: pages must be fit for it. */
export const FOLL_LONGTERM = 0x10000;
/** Pin instead of reference. */
export const FOLL_PIN = 0x40000;
/** No slow path. */
export const FOLL_FAST_ONLY = 0x80000;
