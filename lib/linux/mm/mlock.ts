/**
 * mlock, mlock2, munlock, mlockall, munlockall: a flag on VMAs, and the pages present at once.
 *
 * Left out: RLIMIT_MEMLOCK (the process may lock what it likes), the unevictable list.
 *
 * @module
 */

import { adjoiningVma } from "./adjoining_vma.ts";
import { enterCall, refuse } from "./last_call.ts";
import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { vmaLookup } from "./find_vma.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { modifyVma } from "./modify_vma.ts";
import { pageAlign, type UserWord, userWord, wrapAdd } from "./page_range.ts";
import { mmPopulate } from "./populate.ts";
import type { Vma } from "./vma.ts";
import { VM_HUGETLB, VM_LOCKED, VM_LOCKONFAULT, VM_SPECIAL } from "./vm_flags.ts";

/** @cite linux 6.1 include/uapi/asm-generic/mman-common.h MLOCK_ONFAULT */
export const MLOCK_ONFAULT = 1;

/** Locks the pages of a range and makes them present. ENOMEM over a gap or PROT_NONE. @cite linux 6.1 mm/mlock.c do_mlock */
export function mlock(mm: MmStruct, address: UserWord, length: UserWord): SysResult<0> {
  return doMlock(mm, "mlock", address, length, VM_LOCKED);
}

/** The same; with MLOCK_ONFAULT pages are locked as they come. EINVAL for other flags. @cite linux 6.1 mm/mlock.c mlock2 */
export function mlock2(mm: MmStruct, address: UserWord, length: UserWord, flags: number): SysResult<0> {
  if ((flags & ~MLOCK_ONFAULT) !== 0) {
    enterCall(mm, "mlock2");
    return refuse(mm, "EINVAL", "mlock2", "flags other than MLOCK_ONFAULT");
  }
  return doMlock(
    mm,
    "mlock2",
    address,
    length,
    VM_LOCKED | ((flags & MLOCK_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0),
  );
}

/** Takes the flag away. @cite linux 6.1 mm/mlock.c munlock */
export function munlock(mm: MmStruct, address: UserWord, length: UserWord): SysResult<0> {
  const [start, bytes] = wholePages(mm, "munlock", address, length);
  const errno = applyVmaLockFlags(mm, start, bytes, 0);
  return errno === null ? ok(0) : fail(errno);
}

function wholePages(
  mm: MmStruct,
  call: string,
  address: UserWord,
  length: UserWord,
): [start: number, bytes: number] {
  enterCall(mm, call);
  mm.mmapWriteLock();
  const at = userWord("an address", address);
  const offset = at % PAGE_SIZE;
  return [at - offset, pageAlign(userWord("a length", length) + offset)];
}

function doMlock(
  mm: MmStruct,
  call: string,
  address: UserWord,
  length: UserWord,
  flags: number,
): SysResult<0> {
  const [start, bytes] = wholePages(mm, call, address, length);
  const errno = applyVmaLockFlags(mm, start, bytes, flags);
  if (errno !== null) return fail(errno);
  const error = mmPopulate(mm, start, start + bytes, false);
  // POSIX has other words for the two. @cite linux 6.1 mm/mlock.c __mlock_posix_error_return
  if (error === null) return ok(0);
  return refuse(
    mm,
    error === "EFAULT" ? "ENOMEM" : "EAGAIN",
    "__mlock_posix_error_return",
    `a page cannot be had (${error})`,
  );
}

/** @cite linux 6.1 mm/mlock.c apply_vma_lock_flags */
function applyVmaLockFlags(mm: MmStruct, start: number, bytes: number, flags: number): Errno | null {
  const end = wrapAdd(start, bytes);
  if (end < start) {
    return refuse(mm, "EINVAL", "apply_vma_lock_flags", "the range wraps past the end of addresses").errno;
  }
  if (end === start) return null;
  const first = vmaLookup(mm, start);
  if (first === null) {
    return refuse(mm, "ENOMEM", "apply_vma_lock_flags", "nothing is mapped at the address").errno;
  }
  let vma = first;
  let prev = start > vma.start ? vma : mm.vmas.prev(vma);
  let at = start;
  for (;;) {
    const stop = Math.min(vma.end, end);
    const fixed = mlockFixup(prev, vma, at, stop, vma.flags & ~(VM_LOCKED | VM_LOCKONFAULT) | flags);
    if (!fixed.ok) return fixed.errno;
    prev = fixed.value;
    at = Math.max(stop, prev.end);
    if (at >= end) return null;
    const next = adjoiningVma(prev, at, "apply_vma_lock_flags");
    if (!next.ok) return next.errno;
    vma = next.value;
  }
}

/** Special VMAs are passed over in silence. @cite linux 6.1 mm/mlock.c mlock_fixup */
function mlockFixup(prev: Vma | null, vma: Vma, start: number, end: number, flags: number): SysResult<Vma> {
  if (flags === vma.flags || (vma.flags & (VM_SPECIAL | VM_HUGETLB)) !== 0) return ok(vma);
  return modifyVma(prev, vma, start, end, { flags, pkey: vma.pkey });
}

/** @cite linux 6.1 include/uapi/asm-generic/mman.h MCL_CURRENT */
export const MCL_CURRENT = 1;
/** @cite linux 6.1 include/uapi/asm-generic/mman.h MCL_FUTURE */
export const MCL_FUTURE = 2;
/** @cite linux 6.1 include/uapi/asm-generic/mman.h MCL_ONFAULT */
export const MCL_ONFAULT = 4;

/**
 * Locks what is mapped (MCL_CURRENT), what will be (MCL_FUTURE), or both; EINVAL for other flags, none, or
 * MCL_ONFAULT alone. Pages that cannot be had are no error.
 *
 * @cite linux 6.1 mm/mlock.c mlockall
 */
export function mlockall(mm: MmStruct, flags: number): SysResult<0> {
  enterCall(mm, "mlockall");
  if (flags === 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || flags === MCL_ONFAULT) {
    return refuse(mm, "EINVAL", "mlockall", "unknown flags, none, or MCL_ONFAULT alone");
  }
  mm.mmapWriteLock();
  applyMlockallFlags(mm, flags);
  if ((flags & MCL_CURRENT) !== 0) mmPopulate(mm, 0, TASK_SIZE_MAX);
  return ok(0);
}

/** Unlocks everything, what will be mapped included. @cite linux 6.1 mm/mlock.c munlockall */
export function munlockall(mm: MmStruct): SysResult<0> {
  enterCall(mm, "munlockall");
  mm.mmapWriteLock();
  applyMlockallFlags(mm, 0);
  return ok(0);
}

/** @cite linux 6.1 mm/mlock.c apply_mlockall_flags */
function applyMlockallFlags(mm: MmStruct, flags: number): void {
  const lock = VM_LOCKED | ((flags & MCL_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0);
  mm.defFlags &= ~(VM_LOCKED | VM_LOCKONFAULT);
  if ((flags & MCL_FUTURE) !== 0) {
    mm.defFlags |= lock;
    if ((flags & MCL_CURRENT) === 0) return;
  }
  const added = (flags & MCL_CURRENT) !== 0 ? lock : 0;
  let prev: Vma | null = null;
  for (let vma = mm.vmas.find(0); vma !== null; vma = mm.vmas.find(prev.end)) {
    const fixed = mlockFixup(
      prev,
      vma,
      vma.start,
      vma.end,
      vma.flags & ~(VM_LOCKED | VM_LOCKONFAULT) | added,
    );
    prev = fixed.ok ? fixed.value : vma; // errors are passed over
  }
}
