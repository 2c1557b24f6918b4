/**
 * mmap: the checks in Linux's order, then the new mapping (`mmap_region.ts`), then the pages that the program wants
 * at once.
 *
 * @module
 */

import { enterCall, refuse } from "./last_call.ts";
import { withinBudget } from "../../core/budget.ts";
import type { Errno, SysResult } from "../../core/errno.ts";
import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { mayCommit } from "./commit.ts";
import { type FileObject, fput } from "./file.ts";
import { hugetlbFileSetup, isHugetlbFile } from "./hugetlb.ts";
import type { MmStruct } from "./mm_struct.ts";
import { mmapRegion } from "./mmap_region.ts";
import { flagWord, pageAlign, type UserWord, userWord } from "./page_range.ts";
import { executeOnlyPkey } from "./pkeys.ts";
import { mmPopulate } from "./populate.ts";
import {
  calcVmProtBits,
  LEGACY_MAP_MASK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_TYPE,
  PROT_EXEC,
  PROT_WRITE,
} from "./prot.ts";
import { getUnmappedArea, roundHintToMin } from "./unmapped_area.ts";
import {
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
  VM_WRITE,
} from "./vm_flags.ts";

/** Arguments of {@linkcode mmap}. */
export interface MmapOptions {
  /** Hint, or the address itself with MAP_FIXED; default 0, the kernel chooses. */
  readonly address?: UserWord;
  /** Bytes; rounded up to whole pages. */
  readonly length: UserWord;
  /** PROT_* bits. */
  readonly prot: number;
  /** MAP_* bits. */
  readonly flags: number;
  /** The file behind the descriptor; without one and without MAP_ANONYMOUS the call answers EBADF. */
  readonly file?: FileObject | null;
  /** Offset in the file in bytes, page aligned. */
  readonly offset?: UserWord;
}

/**
 * The system call; answers the address.
 *
 * @returns EINVAL (length 0, unaligned, neither private nor shared, growing file mapping, no such huge pages), EBADF,
 *   ENOMEM (no room, too many VMAs, hopeless wish), EOVERFLOW, EEXIST, EACCES, ENODEV, EOPNOTSUPP, or what the file's
 *   `mmap` answers. With MAP_FIXED old mappings of the range may be gone after an error, as in Linux
 * @throws {RangeError} if more pages are to be populated than the budget `pagesPerCall`
 * @cite linux 6.1 arch/x86/kernel/sys_x86_64.c mmap
 *
 * @example
 * ```ts
 * import { MAP_ANONYMOUS, MAP_PRIVATE, mmap, nativeLinux, PROT_READ } from "grantlab/linux/mm";
 * const mm = nativeLinux().process();
 * const huge = mmap(mm, { length: 2 ** 52, prot: PROT_READ, flags: MAP_PRIVATE | MAP_ANONYMOUS });
 * if (huge.ok || huge.errno !== "ENOMEM") throw new Error();
 * ```
 */
export function mmap(mm: MmStruct, options: MmapOptions): SysResult<number> {
  return mm.system.trace.span("mmap", () => ksysMmapPgoff(mm, options));
}

/** @cite linux 6.1 mm/mmap.c ksys_mmap_pgoff */
function ksysMmapPgoff(mm: MmStruct, options: MmapOptions): SysResult<number> {
  enterCall(mm, "mmap");
  const offset = userWord("an offset", options.offset ?? 0);
  if (offset % PAGE_SIZE !== 0) return refuse(mm, "EINVAL", "mmap", "the offset is on no page boundary");
  const flags = flagWord("flags", options.flags);
  const prot = flagWord("rights", options.prot);
  let file = (flags & MAP_ANONYMOUS) !== 0 ? null : options.file ?? null;
  let length = userWord("a length", options.length);
  let hugeFile: FileObject | null = null;
  if ((flags & MAP_ANONYMOUS) === 0) {
    if (file === null) {
      return refuse(mm, "EBADF", "ksys_mmap_pgoff", "neither MAP_ANONYMOUS nor an open file");
    }
    // No file of hugetlbfs can be opened here.
    if ((flags & MAP_HUGETLB) !== 0) {
      return refuse(mm, "EINVAL", "ksys_mmap_pgoff", "MAP_HUGETLB with a file of small pages");
    }
  } else if ((flags & MAP_HUGETLB) !== 0) {
    const huge = hugetlbFileSetup(mm.system.hugetlb, length, flags);
    if (!huge.ok) return refuse(mm, huge.errno, "ksys_mmap_pgoff", "no huge pages of that size");
    ({ file: hugeFile, length } = huge.value);
    file = hugeFile;
  }
  mm.mmapWriteLock();
  const wish = {
    address: userWord("an address", options.address ?? 0),
    length,
    prot,
    flags,
    file,
    pgoff: offset / PAGE_SIZE,
  };
  const mapped = doMmap(mm, wish);
  if (hugeFile !== null) fput(hugeFile);
  if (!mapped.ok) return mapped;
  const { address, populate } = mapped.value;
  if (populate > 0) mmPopulate(mm, address, address + populate);
  return { ok: true, value: address };
}

interface Wish {
  readonly address: number;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  readonly file: FileObject | null;
  readonly pgoff: number;
}

/** @cite linux 6.1 mm/mmap.c do_mmap */
function doMmap(mm: MmStruct, wish: Wish): SysResult<{ address: number; populate: number }> {
  const { prot, file } = wish;
  if (wish.length === 0) return refuse(mm, "EINVAL", "do_mmap", "the length is 0");
  const flags = (wish.flags & MAP_FIXED_NOREPLACE) !== 0 ? wish.flags | MAP_FIXED : wish.flags;
  const hint = (flags & MAP_FIXED) !== 0 ? wish.address : roundHintToMin(wish.address);
  const length = pageAlign(wish.length);
  if (length === 0) return refuse(mm, "ENOMEM", "do_mmap", "the length wraps to 0 when rounded up to pages");
  if (wish.pgoff + length / PAGE_SIZE >= 2 ** 64) {
    return refuse(mm, "EOVERFLOW", "do_mmap", "offset and length together pass 2^64 pages");
  }
  if (mm.vmas.size > mm.maxMapCount) {
    return refuse(mm, "ENOMEM", "do_mmap", `${mm.vmas.size} VMAs are all that a process may have`);
  }
  const area = getUnmappedArea(
    mm,
    hint,
    length,
    flags,
    file !== null && isHugetlbFile(file) ? PMD_SIZE : PAGE_SIZE,
  );
  if (!area.ok) return area;
  const address = area.value;
  if ((flags & MAP_FIXED_NOREPLACE) !== 0) {
    const there = mm.vmas.find(address);
    if (there !== null && there.start < address + length) {
      return refuse(mm, "EEXIST", "do_mmap", "MAP_FIXED_NOREPLACE, and something is mapped there");
    }
  }
  const pkey = prot === PROT_EXEC ? executeOnlyPkey(mm) : 0;
  let vmFlags = mm.defFlags | calcVmProtBits(prot) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
    ((flags & MAP_GROWSDOWN) !== 0 ? VM_GROWSDOWN : 0) | ((flags & MAP_LOCKED) !== 0 ? VM_LOCKED : 0);
  const typed = file === null ? anonymousType(vmFlags, flags) : fileType(file, wish, length, vmFlags, flags);
  if (typeof typed !== "number") return refuse(mm, typed.errno, "do_mmap", typed.rule);
  vmFlags = typed;
  if ((flags & MAP_NORESERVE) !== 0) vmFlags |= VM_NORESERVE;
  const pgoff = file !== null ? wish.pgoff : (vmFlags & VM_SHARED) !== 0 ? 0 : address / PAGE_SIZE;
  const populate = (vmFlags & VM_LOCKED) !== 0 || (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE;
  const nrPages = length / PAGE_SIZE;
  if (populate && ((vmFlags & (VM_SHARED | VM_WRITE)) !== VM_WRITE || mayCommit(mm, nrPages))) {
    withinBudget("populate pages", nrPages, "pagesPerCall");
  }
  const region = mmapRegion(mm, { file, start: address, end: address + length, flags: vmFlags, pkey, pgoff });
  if (!region.ok) return region;
  return { ok: true, value: { address, populate: populate ? length : 0 } };
}

/** An errno, and the rule that was broken. */
interface Refusal {
  readonly errno: Errno;
  readonly rule: string;
}

const GROWS_SHARED: Refusal = { errno: "EINVAL", rule: "MAP_GROWSDOWN of shared memory or a file" };
const NO_TYPE: Refusal = { errno: "EINVAL", rule: "none of the types of mapping that this memory takes" };

function anonymousType(vmFlags: number, flags: number): number | Refusal {
  switch (flags & MAP_TYPE) {
    case MAP_SHARED:
      return (vmFlags & VM_GROWSDOWN) !== 0 ? GROWS_SHARED : vmFlags | VM_SHARED | VM_MAYSHARE;
    case MAP_PRIVATE:
      return vmFlags;
    default:
      return NO_TYPE;
  }
}

function fileType(
  file: FileObject,
  wish: Wish,
  length: number,
  given: number,
  flags: number,
): number | Refusal {
  let vmFlags = given;
  // A regular file has at most 2^63 - 1 bytes.
  if (wish.pgoff > Math.floor((2 ** 63 - 1 - length) / PAGE_SIZE)) {
    return { errno: "EOVERFLOW", rule: "the mapping reaches behind the largest file" };
  }
  const type = flags & MAP_TYPE;
  if (type === MAP_SHARED || type === MAP_SHARED_VALIDATE) {
    if (type === MAP_SHARED_VALIDATE && (flags & ~LEGACY_MAP_MASK) !== 0) {
      return { errno: "EOPNOTSUPP", rule: "MAP_SHARED_VALIDATE with a flag that the file does not know" };
    }
    if ((wish.prot & PROT_WRITE) !== 0 && !file.writable) {
      return { errno: "EACCES", rule: "shared and writable of a file that is not open for writing" };
    }
    vmFlags |= VM_SHARED | VM_MAYSHARE;
    if (!file.writable) vmFlags &= ~(VM_MAYWRITE | VM_SHARED);
  } else if (type !== MAP_PRIVATE) return NO_TYPE;
  if (!file.readable) return { errno: "EACCES", rule: "the file is not open for reading" };
  if (file.ops.mmap === undefined) return { errno: "ENODEV", rule: "the file has no mmap operation" };
  return (vmFlags & VM_GROWSDOWN) !== 0 ? GROWS_SHARED : vmFlags;
}
