/**
 * Page geometry of x86-64.
 *
 * @module
 */

/** log2 of the size of a small page. */
export const PAGE_SHIFT = 12;

/** Size of a small page in bytes. */
export const PAGE_SIZE = 4096;

/** The same under its shortest name, for prompts and notebooks: `vma.start + 2 * PAGE`. */
export const PAGE = PAGE_SIZE;

/** Size of a 2 MiB page in bytes. */
export const PMD_SIZE = 2 ** 21;

/** Size of a 1 GiB page in bytes. */
export const PUD_SIZE = 2 ** 30;

/** Entries in a page table of any level. */
export const PTRS_PER_TABLE = 512;

/** Bytes of one page-table entry. */
export const ENTRY_SIZE = 8;

/** True if `address` (bytes) is a multiple of the page size. */
export function isPageAligned(address: number): boolean {
  return address % PAGE_SIZE === 0;
}

/** `bytes` rounded up to whole pages, as a number of pages. */
export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE);
}
