/**
 * msync. Nothing is written back here, so what is left are the refusals.
 *
 * @module
 */

import { enterCall, refuse } from "./last_call.ts";
import { ok, type SysResult } from "../../core/errno.ts";
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
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0) {
    return refuse(mm, "EINVAL", "msync", "unknown flags");
  }
  if (start % PAGE_SIZE !== 0) return refuse(mm, "EINVAL", "msync", "the address is on no page boundary");
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) {
    return refuse(mm, "EINVAL", "msync", "MS_ASYNC and MS_SYNC together");
  }
  const end = wrapAdd(start, pageAlign(userWord("a length", length)));
  if (end < start) return refuse(mm, "ENOMEM", "msync", "the range wraps past the end of addresses");
  if (end === start) return ok(0);
  mm.mmapLock();
  let hasGap = false;
  for (;;) {
    const vma = findVma(mm, start);
    if (vma === null) return refuse(mm, "ENOMEM", "msync", "nothing is mapped in a part of the range");
    if (start < vma.start) {
      if (flags === MS_ASYNC) return refuse(mm, "ENOMEM", "msync", "a part of the range is not mapped");
      start = vma.start;
      if (start >= end) return refuse(mm, "ENOMEM", "msync", "nothing is mapped in a part of the range");
      hasGap = true;
    }
    if ((flags & MS_INVALIDATE) !== 0 && (vma.flags & VM_LOCKED) !== 0) {
      return refuse(mm, "EBUSY", "msync", "MS_INVALIDATE of locked memory");
    }
    start = vma.end;
    if ((flags & MS_SYNC) !== 0 && vma.file !== null && (vma.flags & VM_SHARED) !== 0) {
      const { ops } = vma.file;
      // A device has no fsync. @cite linux 6.1 fs/sync.c vfs_fsync_range
      const refused = ops.fsync === undefined ? "EINVAL" : ops.fsync(vma.file);
      if (refused !== null) return refuse(mm, refused, "vfs_fsync_range", `${vma.file.name} refuses`);
    }
    if (start < end) continue;
    return hasGap
      ? refuse(mm, "ENOMEM", "msync", "a part of the range is not mapped; the rest was done")
      : ok(0);
  }
}
