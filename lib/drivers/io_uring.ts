/**
 * io_uring's fixed buffers: pinned for as long as the ring lives. Where get_user_pages takes any file for a long-term pin,
 * io_uring asks itself and refuses pages of a file, but for memory files; a grant mapping is a file mapping, so it is
 * refused as well. Where get_user_pages asks, a device file passes: it need not hear of writes.
 *
 * @cite linux 6.12 mm/gup.c writable_file_mapping_allowed
 * @cite linux 6.1 io_uring/rsrc.c io_pin_pages
 * @module
 */

import { fail, ok, type SysResult } from "../core/errno.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { findVma } from "../linux/mm/find_vma.ts";
import { getUserPagesRemote, releaseUserPages } from "../linux/mm/gup.ts";
import { FOLL_LONGTERM, FOLL_PIN, FOLL_WRITE } from "../linux/mm/gup_flags.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";

/** IORING_REGISTER_BUFFERS of one buffer; the pages pinned, to be released with {@linkcode ioUringUnregister}. */
export function ioUringRegisterBuffer(
  mm: MmStruct,
  address: number,
  length: number,
): SysResult<readonly number[]> {
  const first = address - address % PAGE_SIZE;
  const nrPages = Math.ceil((address + length - first) / PAGE_SIZE);
  const gupFlags = FOLL_PIN | FOLL_WRITE | FOLL_LONGTERM;
  const got = getUserPagesRemote(mm, first, nrPages, gupFlags);
  if (!got.ok) return got;
  let errno: "EFAULT" | "EOPNOTSUPP" | null = got.value.length < nrPages ? "EFAULT" : null;
  const asksItself = mm.system.flavour.gupFilePins === "any file";
  for (let i = 0; asksItself && errno === null && i < nrPages; i++) {
    const vma = findVma(mm, first + i * PAGE_SIZE)!;
    if (vma.file !== null && vma.ops?.name !== "shmem") errno = "EOPNOTSUPP";
  }
  if (errno === null) return got;
  releaseUserPages(mm, got.value, gupFlags);
  return fail(errno);
}

/** Ends the registration. */
export function ioUringUnregister(mm: MmStruct, pages: readonly number[]): SysResult<0> {
  releaseUserPages(mm, pages, FOLL_PIN);
  return ok(0);
}
