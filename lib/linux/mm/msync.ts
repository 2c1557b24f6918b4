/**
 * msync. Nothing is written back here, so what is left are the refusals.
 *
 * @module
 */

import { enterCall } from "./last_call.ts";
import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { findVma } from "./find_vma.ts";
import type { MmStruct } from "./mm_struct.ts";
import { pageAlign, type UserWord, userWord, wrapAdd } from "./page_range.ts";
import { VM_LOCKED, VM_SHARED } from "./vm_flags.ts";

/** @cite linux 6.1 include/uapi/asm-generic/mman-common.h MS_ASYNC */
export const MS_ASYNC = 1;
/** @cite linux 6.1 include/uapi/asm-generic/mman-common.h MS_INVALIDATE */
export const MS_INVALIDATE = 2;
/** @cite linux 6.1 include/uapi/asm-generic/mman-common.h MS_SYNC */
export const MS_SYNC = 4;

/**
 * The system call.
 *
 * @returns EINVAL (flags, alignment, a shared file that cannot be synchronized), ENOMEM over a gap, EBUSY for
 *   MS_INVALIDATE of locked memory
 * @cite linux 6.1 mm/msync.c msync
 */
export function msync(mm: MmStruct, address: UserWord, length: UserWord, flags: number): SysResult<0> {
  enterCall(mm, "msync");
  let start = userWord("an address", address);
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0 || start % PAGE_SIZE !== 0) return fail("EINVAL");
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) return fail("EINVAL");
  const end = wrapAdd(start, pageAlign(userWord("a length", length)));
  if (end < start) return fail("ENOMEM");
  if (end === start) return ok(0);
  mm.mmapLock();
  let hasGap = false;
  for (;;) {
    const vma = findVma(mm, start);
    if (vma === null) return fail("ENOMEM");
    if (start < vma.start) {
      if (flags === MS_ASYNC) return fail("ENOMEM");
      start = vma.start;
      if (start >= end) return fail("ENOMEM");
      hasGap = true;
    }
    if ((flags & MS_INVALIDATE) !== 0 && (vma.flags & VM_LOCKED) !== 0) return fail("EBUSY");
    start = vma.end;
    if ((flags & MS_SYNC) !== 0 && vma.file !== null && (vma.flags & VM_SHARED) !== 0) {
      const { ops } = vma.file;
      // A device has no fsync. @cite linux 6.1 fs/sync.c vfs_fsync_range
      const refused = ops.fsync === undefined ? "EINVAL" : ops.fsync(vma.file);
      if (refused !== null) return fail(refused);
    }
    if (start >= end) return hasGap ? fail("ENOMEM") : ok(0);
  }
}
