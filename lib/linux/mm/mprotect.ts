/**
 * mprotect: VMA by VMA, merge or split, then the entries. What was done before an error stays done.
 *
 * @module
 */

import { adjoiningVma } from "./adjoining_vma.ts";
import { enterCall, refuse } from "./last_call.ts";
import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { changeProtection } from "./change_protection.ts";
import { mayCommit } from "./commit.ts";
import { findVma } from "./find_vma.ts";
import type { MmStruct } from "./mm_struct.ts";
import { modifyVma } from "./modify_vma.ts";
import { flagWord, pageAlign, type UserWord, userWord, wrapAdd } from "./page_range.ts";
import { mmPkeyIsAllocated, overrideMprotectPkey } from "./pkeys.ts";
import { populateVmaRange } from "./populate.ts";
import {
  calcVmProtBits,
  PROT_EXEC,
  PROT_GROWSDOWN,
  PROT_GROWSUP,
  PROT_READ,
  PROT_SEM,
  PROT_WRITE,
} from "./prot.ts";
import { MmuGather } from "./tlb_gather.ts";
import type { Vma } from "./vma.ts";
import {
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_HUGETLB,
  VM_LOCKED,
  VM_NORESERVE,
  VM_SHARED,
  VM_WRITE,
} from "./vm_flags.ts";

/**
 * The system call.
 *
 * @param prot PROT_* bits
 * @returns EINVAL for an unaligned address or unknown bits, ENOMEM where nothing is mapped (what lies before the gap
 *   has changed), EACCES where a MAY bit is missing
 * @cite linux 6.1 mm/mprotect.c do_mprotect_pkey
 *
 * @example
 * ```ts
 * import { MAP_ANONYMOUS, MAP_PRIVATE, mmap, mprotect, nativeLinux, PROT_READ, PROT_WRITE } from "grantlab/linux/mm";
 * const mm = nativeLinux().process();
 * const at = mmap(mm, { length: 3 * 4096, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS });
 * if (!at.ok || !mprotect(mm, at.value + 4096, 4096, PROT_READ).ok || mm.vmas.size !== 3) throw new Error();
 * ```
 */
export function mprotect(mm: MmStruct, address: UserWord, length: UserWord, prot: number): SysResult<0> {
  return mm.system.trace.span("mprotect", () => doMprotectPkey(mm, address, length, prot, NO_PKEY));
}

/**
 * The same, with a protection key for the range; -1 is plain `mprotect`. EINVAL for a key that the program has not.
 *
 * @cite linux 6.1 mm/mprotect.c pkey_mprotect
 */
export function pkeyMprotect(
  mm: MmStruct,
  address: UserWord,
  length: UserWord,
  prot: number,
  pkey: number,
): SysResult<0> {
  return doMprotectPkey(mm, address, length, prot, pkey);
}

const NO_PKEY = -1;

function doMprotectPkey(
  mm: MmStruct,
  address: UserWord,
  length: UserWord,
  prot: number,
  pkey: number,
): SysResult<0> {
  enterCall(mm, pkey === NO_PKEY ? "mprotect" : "pkey_mprotect");
  let start = userWord("an address", address);
  flagWord("rights", prot);
  const grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  const rights = prot & ~(PROT_GROWSDOWN | PROT_GROWSUP);
  if (grows === (PROT_GROWSDOWN | PROT_GROWSUP)) {
    return refuse(mm, "EINVAL", "do_mprotect_pkey", "PROT_GROWSDOWN and PROT_GROWSUP together");
  }
  if (start % PAGE_SIZE !== 0) {
    return refuse(mm, "EINVAL", "do_mprotect_pkey", "the address is on no page boundary");
  }
  const bytes = userWord("a length", length);
  if (bytes === 0) return ok(0);
  const end = wrapAdd(start, pageAlign(bytes));
  if (end <= start) {
    return refuse(mm, "ENOMEM", "do_mprotect_pkey", "the range wraps past the end of addresses");
  }
  if ((rights & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)) !== 0) {
    return refuse(mm, "EINVAL", "do_mprotect_pkey", "unknown bits in prot");
  }
  mm.mmapWriteLock();
  if (pkey !== NO_PKEY && !mmPkeyIsAllocated(mm, pkey)) {
    return refuse(mm, "EINVAL", "do_mprotect_pkey", "the process has no such protection key");
  }
  const vma = findVma(mm, start);
  if (vma === null) return refuse(mm, "ENOMEM", "do_mprotect_pkey", "no VMA ends above the address");
  if ((grows & PROT_GROWSDOWN) !== 0) {
    if (vma.start >= end) {
      return refuse(mm, "ENOMEM", "do_mprotect_pkey", "the next VMA begins behind the range");
    }
    if ((vma.flags & VM_GROWSDOWN) === 0) {
      return refuse(mm, "EINVAL", "do_mprotect_pkey", "PROT_GROWSDOWN of a VMA that does not grow down");
    }
    start = vma.start;
  } else {
    if (vma.start > start) {
      return refuse(mm, "ENOMEM", "do_mprotect_pkey", "nothing is mapped at the address");
    }
    if ((grows & PROT_GROWSUP) !== 0) {
      return refuse(mm, "EINVAL", "do_mprotect_pkey", "PROT_GROWSUP: no VMA grows up on x86");
    }
  }
  const gather = new MmuGather(mm, mm.system.flavour.mprotectBatches);
  const errno = protectFrom(gather, vma, start, end, rights, pkey);
  gather.finish();
  return errno === null ? ok(0) : fail(errno);
}

function protectFrom(
  gather: MmuGather,
  first: Vma,
  start: number,
  end: number,
  prot: number,
  key: number,
): Errno | null {
  const { mm } = gather;
  let vma = first;
  let prev = start > vma.start ? vma : mm.vmas.prev(vma);
  let at = start;
  for (;;) {
    const flags = calcVmProtBits(prot) | vma.flags & ~VM_ACCESS_FLAGS;
    const pkey = key === NO_PKEY ? overrideMprotectPkey(vma, prot) : key;
    // VM_MAY* lie four bits above VM_*.
    if ((flags & ~(flags >> 4) & VM_ACCESS_FLAGS) !== 0) {
      return refuse(
        mm,
        "EACCES",
        "do_mprotect_pkey",
        `the VMA at ${hex(vma.start)} has no VM_MAY bit for a right that is asked for`,
      ).errno;
    }
    const stop = Math.min(vma.end, end);
    const fixed = mprotectFixup(gather, vma, prev, at, stop, flags, pkey);
    if (!fixed.ok) return fixed.errno;
    prev = fixed.value;
    at = Math.max(stop, prev.end);
    if (at >= end) return null;
    const next = adjoiningVma(prev, at, "do_mprotect_pkey");
    if (!next.ok) return next.errno;
    vma = next.value;
  }
}

/** One VMA's part; answers the VMA that then holds it. @cite linux 6.1 mm/mprotect.c mprotect_fixup */
function mprotectFixup(
  gather: MmuGather,
  vma: Vma,
  prev: Vma | null,
  start: number,
  end: number,
  wanted: number,
  pkey: number,
): SysResult<Vma> {
  const { mm } = vma;
  const before = vma.flags;
  if (wanted === before && pkey === vma.pkey) return ok(vma);
  let flags = wanted;
  // Private memory that becomes writable is charged; it stays charged when it becomes read-only again.
  const free = VM_ACCOUNT | VM_WRITE | VM_HUGETLB | VM_SHARED | VM_NORESERVE;
  if ((flags & VM_WRITE) !== 0 && (before & free) === 0) {
    if (!mayCommit(mm, (end - start) / PAGE_SIZE)) {
      return refuse(
        mm,
        "ENOMEM",
        "mprotect_fixup",
        "private memory becomes writable, and so much cannot be promised",
      );
    }
    flags |= VM_ACCOUNT;
  }
  if (!mm.system.flavour.keepsAccount && isUnused(vma) && (flags & VM_WRITE) === 0) flags &= ~VM_ACCOUNT;
  const changed = modifyVma(prev, vma, start, end, { flags, pkey });
  if (!changed.ok) return changed;
  const holder = changed.value;
  changeProtection(gather, holder, start, end);
  if ((before & (VM_WRITE | VM_SHARED | VM_LOCKED)) === VM_LOCKED && (flags & VM_WRITE) !== 0) {
    populateVmaRange(holder, start, end);
  }
  return changed;
}

/** Accounted private anonymous memory that never held a page of its own. @cite linux 6.12 mm/mprotect.c mprotect_fixup */
function isUnused(vma: Vma): boolean {
  return (vma.flags & (VM_ACCOUNT | VM_WRITE | VM_SHARED)) === (VM_ACCOUNT | VM_WRITE) &&
    vma.ops === null && vma.anonVma === null;
}
