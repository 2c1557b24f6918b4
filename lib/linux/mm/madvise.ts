/**
 * madvise: advice that is a flag of the VMA, advice that drops pages, advice that brings them.
 *
 * Left out: memory failure (HWPOISON, SOFT_OFFLINE), which the program may not inject (EPERM), and transparent huge
 * pages, of which COLLAPSE finds none free (ENOMEM).
 *
 * @module
 */

import { enterCall, refuse } from "./last_call.ts";
import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { findVma, vmaLookup } from "./find_vma.ts";
import { MADV, type MadviseName } from "./madvise_names.ts";
import { coldPages, freePages, pageoutPages, zapPages } from "./madvise_pages.ts";
import type { MmStruct } from "./mm_struct.ts";
import { modifyVma } from "./modify_vma.ts";
import { pageAlign, type UserWord, userWord, wrapAdd } from "./page_range.ts";
import { vmaAccessPermitted } from "./pkeys.ts";
import { faultInRange } from "./populate.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import {
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_HUGEPAGE,
  VM_HUGETLB,
  VM_IO,
  VM_LOCKED,
  VM_MAYSHARE,
  VM_MERGEABLE,
  VM_MIXEDMAP,
  VM_NOHUGEPAGE,
  VM_PFNMAP,
  VM_RAND_READ,
  VM_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_SPECIAL,
  VM_WIPEONFORK,
  VM_WRITE,
} from "./vm_flags.ts";

export { MADV, type MadviseName };

const NAME_OF: ReadonlyMap<number, MadviseName> = new Map(
  (Object.keys(MADV) as MadviseName[]).map((name) => [MADV[name], name]),
);

/** Advice that is a change of flags: the new flags, or an errno. @cite linux 6.1 mm/madvise.c madvise_vma_behavior */
const FLAG_ADVICE: Partial<Record<MadviseName, (vma: Vma) => number | Errno>> = {
  NORMAL: ({ flags }) => flags & ~VM_RAND_READ & ~VM_SEQ_READ,
  SEQUENTIAL: ({ flags }) => flags & ~VM_RAND_READ | VM_SEQ_READ,
  RANDOM: ({ flags }) => flags & ~VM_SEQ_READ | VM_RAND_READ,
  DONTFORK: ({ flags }) => flags | VM_DONTCOPY,
  DOFORK: ({ flags, mm }) =>
    (flags & mm.system.flavour.doforkRefuses) !== 0 ? "EINVAL" : flags & ~VM_DONTCOPY,
  WIPEONFORK: ({ file, flags }) =>
    file !== null || (flags & VM_SHARED) !== 0 ? "EINVAL" : flags | VM_WIPEONFORK,
  KEEPONFORK: ({ flags }) => flags & ~VM_WIPEONFORK,
  DONTDUMP: ({ flags }) => flags | VM_DONTDUMP,
  DODUMP: ({ flags }) =>
    (flags & VM_HUGETLB) === 0 && (flags & VM_SPECIAL) !== 0 ? "EINVAL" : flags & ~VM_DONTDUMP,
  HUGEPAGE: ({ flags }) => flags & ~VM_NOHUGEPAGE | VM_HUGEPAGE,
  NOHUGEPAGE: ({ flags }) => flags & ~VM_HUGEPAGE | VM_NOHUGEPAGE,
  MERGEABLE: ({ flags }) => (flags & NOT_KSM) !== 0 ? flags : flags | VM_MERGEABLE,
  UNMERGEABLE: ({ flags }) => flags & ~VM_MERGEABLE,
};

/** Never merged by content. @cite linux 6.1 mm/ksm.c ksm_madvise */
const NOT_KSM = VM_MERGEABLE | VM_SHARED | VM_MAYSHARE | VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_HUGETLB |
  VM_MIXEDMAP;

/** Advice about pages: null, or an errno. */
const PAGE_ADVICE: Partial<Record<MadviseName, (vma: Vma, start: number, end: number) => Errno | null>> = {
  WILLNEED: () => null,
  DONTNEED: (vma, start, end) => dontneed(vma, start, end, VM_PFNMAP | VM_LOCKED),
  DONTNEED_LOCKED: (vma, start, end) => dontneed(vma, start, end, VM_PFNMAP),
  FREE: (vma, start, end) =>
    (vma.flags & (VM_PFNMAP | VM_LOCKED | VM_HUGETLB)) !== 0 || vma.ops !== null
      ? "EINVAL"
      : freePages(vma, start, end),
  COLD: (vma, start, end) => (vma.flags & NOT_ON_LRU) !== 0 ? "EINVAL" : coldPages(vma, start, end),
  PAGEOUT: (vma, start, end) => (vma.flags & NOT_ON_LRU) !== 0 ? "EINVAL" : pageoutPages(vma, start, end),
  REMOVE: (vma, start, end) => {
    const { file } = vma;
    if ((vma.flags & VM_LOCKED) !== 0 || file === null) return "EINVAL";
    if ((vma.flags & (VM_SHARED | VM_WRITE)) !== (VM_SHARED | VM_WRITE)) return "EACCES";
    // A device has no blocks to give back. @cite linux 6.1 fs/open.c vfs_fallocate
    if (file.pageCache === null) return "ENODEV";
    if (file.ops.punchHole === undefined) return "EOPNOTSUPP";
    return file.ops.punchHole(file, linearPageIndex(vma, start), linearPageIndex(vma, end));
  },
  COLLAPSE: (vma, start, end) => {
    if (!mayHoldHugePage(vma)) return "EINVAL";
    return Math.ceil(start / PMD_SIZE) < Math.floor(end / PMD_SIZE) ? "ENOMEM" : null;
  },
};

/** Anonymous memory that was written to, with room for an aligned huge page. @cite linux 6.1 mm/huge_memory.c hugepage_vma_check */
function mayHoldHugePage(vma: Vma): boolean {
  if ((vma.flags & (VM_NOHUGEPAGE | VM_SPECIAL | VM_HUGETLB)) !== 0) return false;
  const last = Math.floor((vma.end - PMD_SIZE) / PMD_SIZE) * PMD_SIZE;
  return last >= vma.start && vma.ops === null && vma.anonVma !== null;
}

/** Pages that reclaim does not look at. @cite linux 6.1 mm/madvise.c can_madv_lru_vma */
const NOT_ON_LRU = VM_LOCKED | VM_PFNMAP | VM_HUGETLB;

/** Whole huge pages only, rounded down. @cite linux 6.1 mm/madvise.c madvise_dontneed_free_valid_vma */
function dontneed(vma: Vma, start: number, end: number, forbidden: number): Errno | null {
  if ((vma.flags & VM_HUGETLB) === 0) {
    return (vma.flags & forbidden) !== 0 ? "EINVAL" : zapPages(vma, start, end);
  }
  if (start % PMD_SIZE !== 0) return "EINVAL";
  const whole = end - end % PMD_SIZE;
  return whole > start ? zapPages(vma, start, whole) : null;
}

/**
 * The system call.
 *
 * @param advice MADV_* number
 * @returns EINVAL (unknown advice, unaligned, VMA does not take it), ENOMEM over a gap (everything mapped has been
 *   advised), EAGAIN at the limit of VMAs, EFAULT where POPULATE_* meets a page that cannot be had, EACCES and
 *   EOPNOTSUPP for REMOVE, EPERM for injected memory failures
 * @cite linux 6.1 mm/madvise.c do_madvise
 */
export function madvise(mm: MmStruct, address: UserWord, length: UserWord, advice: number): SysResult<0> {
  enterCall(mm, "madvise");
  const name = NAME_OF.get(advice);
  const start = userWord("an address", address);
  const isUnheardOf = advice > mm.system.flavour.highestAdvice && advice < MADV.HWPOISON;
  if (name === undefined || isUnheardOf) {
    return refuse(mm, "EINVAL", "madvise_behavior_valid", `advice ${advice} is unknown`);
  }
  if (start % PAGE_SIZE !== 0) {
    return refuse(mm, "EINVAL", "do_madvise", "the address is on no page boundary");
  }
  const asked = userWord("a length", length);
  const bytes = pageAlign(asked);
  if (asked !== 0 && bytes === 0) {
    return refuse(mm, "EINVAL", "do_madvise", "the length wraps to 0 when rounded up to pages");
  }
  const end = wrapAdd(start, bytes);
  if (end < start) return refuse(mm, "EINVAL", "do_madvise", "the range wraps past the end of addresses");
  if (end === start) return ok(0);
  if (name === "HWPOISON" || name === "SOFT_OFFLINE") {
    return refuse(mm, "EPERM", "madvise_inject_error", "only an administrator may injure memory");
  }
  mm.mmapLock();
  const errno = name === "POPULATE_READ" || name === "POPULATE_WRITE"
    ? madvisePopulate(mm, start, end, name === "POPULATE_WRITE")
    : madviseWalkVmas(mm, start, end, visitorOf(name));
  return errno === null ? ok(0) : fail(errno);
}

function whichVma(vma: Vma): string {
  return `the VMA [${hex(vma.start)}, ${hex(vma.end)})`;
}

/** What each advice asks of a VMA. @cite linux 6.1 mm/madvise.c madvise_vma_behavior */
const TAKES: Partial<Record<MadviseName, string>> = {
  DOFORK: "no VMA that a driver keeps out of children",
  WIPEONFORK: "private anonymous memory",
  DODUMP: "no special VMA but of huge pages",
  DONTNEED: "memory that is not locked and no frames by number; huge pages from their boundary",
  DONTNEED_LOCKED: "no frames by number; huge pages from their boundary",
  FREE: "anonymous memory that is not locked, in small pages",
  COLD: "memory that is not locked, in small pages, and no frames by number",
  PAGEOUT: "memory that is not locked, in small pages, and no frames by number",
  REMOVE: "shared writable memory that is not locked, of a file that can give blocks back",
  COLLAPSE: "anonymous memory that was written to, with room for a huge page, and a free huge page",
};

function whyNot(name: MadviseName, vma: Vma): string {
  const takes = TAKES[name];
  const rule = takes === undefined ? "is refused" : `takes ${takes}`;
  return `MADV_${name} ${rule}; ${whichVma(vma)} is not such`;
}

type Visitor = (prev: Vma | null, vma: Vma, start: number, end: number) => SysResult<Vma>;

function visitorOf(name: MadviseName): Visitor {
  const toFlags = FLAG_ADVICE[name];
  if (toFlags !== undefined) {
    return (prev, vma, start, end) => {
      const flags = toFlags(vma);
      if (typeof flags === "string") return refuse(vma.mm, flags, "madvise_vma_behavior", whyNot(name, vma));
      if (flags === vma.flags) return ok(vma);
      const changed = modifyVma(prev, vma, start, end, { flags, pkey: vma.pkey });
      return !changed.ok && changed.errno === "ENOMEM"
        ? refuse(vma.mm, "EAGAIN", "madvise_vma_behavior", "no memory for the pieces of a VMA is answered as")
        : changed;
    };
  }
  const toPages = PAGE_ADVICE[name]!;
  return (_prev, vma, start, end) => {
    const errno = toPages(vma, start, end);
    return errno === null ? ok(vma) : refuse(vma.mm, errno, "madvise_vma_behavior", whyNot(name, vma));
  };
}

/** Gaps are passed over and reported at the end. @cite linux 6.1 mm/madvise.c madvise_walk_vmas */
function madviseWalkVmas(mm: MmStruct, from: number, end: number, visit: Visitor): Errno | null {
  let start = from;
  let gap: Errno | null = null;
  let vma = findVma(mm, start);
  let prev = vma !== null && start > vma.start ? vma : mm.vmas.lastBelow(start);
  for (;;) {
    if (vma === null) {
      return refuse(
        mm,
        "ENOMEM",
        "madvise_walk_vmas",
        `nothing is mapped from ${hex(start)} on; what lies before was advised`,
      ).errno;
    }
    if (start < vma.start) {
      gap ??= refuse(
        mm,
        "ENOMEM",
        "madvise_walk_vmas",
        `nothing is mapped at ${hex(start)}; the rest is advised all the same`,
      ).errno;
      start = vma.start;
      if (start >= end) return gap;
    }
    const stop = Math.min(vma.end, end);
    const visited = visit(prev, vma, start, stop);
    if (!visited.ok) return visited.errno;
    prev = visited.value;
    start = Math.max(stop, prev.end);
    if (start >= end) return gap;
    vma = findVma(mm, prev.end);
  }
}

/** @cite linux 6.1 mm/madvise.c madvise_populate */
function madvisePopulate(mm: MmStruct, from: number, end: number, write: boolean): Errno | null {
  for (let start = from; start < end;) {
    const vma = vmaLookup(mm, start);
    if (vma === null) {
      return refuse(mm, "ENOMEM", "madvise_populate", `nothing is mapped at ${hex(start)}`).errno;
    }
    const needed = write ? VM_WRITE : VM_READ;
    if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0 || (vma.flags & needed) === 0) {
      return refuse(
        mm,
        "EINVAL",
        "check_vma_flags",
        `${whichVma(vma)} maps frames by number or lacks the right`,
      ).errno;
    }
    if (!vmaAccessPermitted(vma, write, false)) {
      return refuse(mm, "EINVAL", "check_vma_flags", `the protection key of ${whichVma(vma)} forbids it`)
        .errno;
    }
    const stop = Math.min(end, vma.end);
    const error = faultInRange(vma, start, stop, write);
    if (error !== null) {
      return refuse(mm, error, "faultin_vma_page_range", `a page of ${whichVma(vma)} cannot be had`).errno;
    }
    start = stop;
  }
  return null;
}
