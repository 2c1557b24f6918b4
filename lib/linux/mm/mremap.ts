/**
 * mremap: shrink, grow in place, or move.
 *
 * Left out: RLIMIT_AS, the `mremap` operation of a mapping.
 *
 * @module
 */

import { enterCall, refuse } from "./last_call.ts";
import { ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { mayCommit } from "./commit.ts";
import { vmaLookup } from "./find_vma.ts";
import { vmaMerge } from "./merge.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { moveVma } from "./move_vma.ts";
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from "./mremap_flags.ts";
import { mremapTo, refuseTarget, type Remap, vmaToResize } from "./mremap_to.ts";
import { doMunmap } from "./munmap.ts";
import { pageAlign, type UserWord, userWord } from "./page_range.ts";
import { mmPopulate } from "./populate.ts";
import { getUnmappedArea } from "./unmapped_area.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import { VM_ACCOUNT, VM_HUGETLB, VM_LOCKED } from "./vm_flags.ts";
import { preallocateNodes } from "./tree_nodes.ts";

export { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE };

/** Arguments of {@linkcode mremap}. */
export interface MremapOptions {
  readonly address: UserWord;
  readonly oldLength: UserWord;
  readonly newLength: UserWord;
  /** MREMAP_* bits; default 0. */
  readonly flags?: number;
  /** With MREMAP_FIXED: where to. */
  readonly newAddress?: UserWord;
}

/**
 * The system call; answers the new address.
 *
 * @returns EINVAL (flags, alignment, new length 0, overlap), EFAULT (nothing mapped, range leaves the VMA, a VMA that
 *   must not grow), ENOMEM (no room, too many VMAs)
 * @cite linux 6.1 mm/mremap.c mremap
 */
export function mremap(mm: MmStruct, options: MremapOptions): SysResult<number> {
  enterCall(mm, "mremap");
  const flags = options.flags ?? 0;
  const address = userWord("an address", options.address);
  const oldBytes = userWord("a length", options.oldLength);
  const newBytes = userWord("a length", options.newLength);
  if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) !== 0) {
    return refuse(mm, "EINVAL", "mremap", "unknown flags");
  }
  const mayMove = (flags & MREMAP_MAYMOVE) !== 0;
  if ((flags & MREMAP_FIXED) !== 0 && !mayMove) {
    return refuse(mm, "EINVAL", "mremap", "MREMAP_FIXED without MREMAP_MAYMOVE");
  }
  if ((flags & MREMAP_DONTUNMAP) !== 0 && (!mayMove || oldBytes !== newBytes)) {
    return refuse(mm, "EINVAL", "mremap", "MREMAP_DONTUNMAP without MREMAP_MAYMOVE or with another length");
  }
  if (address % PAGE_SIZE !== 0) return refuse(mm, "EINVAL", "mremap", "the address is on no page boundary");
  const newAddress = userWord("an address", options.newAddress ?? 0);
  let move: Remap = { address, oldLength: pageAlign(oldBytes), newLength: pageAlign(newBytes), flags };
  if (move.newLength === 0) return refuse(mm, "EINVAL", "mremap", "the new length is 0");
  mm.mmapWriteLock();
  const { looksUp, takesHugePages } = mm.system.flavour.mremap;
  const hasTarget = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (hasTarget && looksUp === "after arguments") {
    const refused = refuseTarget(mm, move, newAddress);
    if (refused !== null) return refused;
  }
  const found = vmaLookup(mm, address);
  if (found === null && looksUp !== "when needed") {
    return refuse(mm, "EFAULT", "mremap", "nothing is mapped at the address");
  }
  if (found !== null && takesHugePages && (found.flags & VM_HUGETLB) !== 0) {
    move = { ...move, oldLength: wholeHugePages(oldBytes), newLength: wholeHugePages(newBytes) };
    if (address % PMD_SIZE !== 0 || newAddress % PMD_SIZE !== 0) {
      return refuse(mm, "EINVAL", "mremap", "an address is on no boundary of huge pages");
    }
    if (move.newLength > move.oldLength) {
      return refuse(mm, "EINVAL", "mremap", "the promise of huge pages cannot grow");
    }
  }
  const { oldLength, newLength } = move;
  if (hasTarget) return populateTail(mm, mremapTo(mm, move, newAddress), oldLength, newLength);
  if (oldLength === newLength) return ok(address);
  if (oldLength > newLength) {
    const cut = doMunmap(mm, address + newLength, oldLength - newLength);
    return cut.ok ? ok(address) : cut;
  }
  const vma = vmaToResize(mm, move);
  if (!vma.ok) return vma;
  const grown = growInPlace(mm, vma.value, move);
  if (grown !== null) return populateTail(mm, grown, oldLength, newLength);
  if (!mayMove) return refuse(mm, "ENOMEM", "mremap", "no room to grow in place, and no MREMAP_MAYMOVE");
  const area = getUnmappedArea(mm, 0, newLength, 0);
  if (!area.ok) return area;
  return populateTail(mm, moveVma(vma.value, { ...move, newAddress: area.value }), oldLength, newLength);
}

function wholeHugePages(bytes: number): number {
  return Math.ceil(bytes / PMD_SIZE) * PMD_SIZE;
}

/** A locked mapping has its new part present at once. */
function populateTail(
  mm: MmStruct,
  moved: SysResult<number>,
  oldLength: number,
  newLength: number,
): SysResult<number> {
  if (!moved.ok || newLength <= oldLength) return moved;
  const vma = mm.vmas.lookup(moved.value);
  if (vma !== null && (vma.flags & VM_LOCKED) !== 0) {
    mmPopulate(mm, moved.value + oldLength, moved.value + newLength);
  }
  return moved;
}

/** Null if the room behind the VMA is taken; the VMA then has to move. */
function growInPlace(
  mm: MmStruct,
  vma: Vma,
  { address, oldLength, newLength }: Remap,
): SysResult<number> | null {
  if (oldLength !== vma.end - address) return null;
  const start = vma.end;
  const end = address + newLength;
  if (end > TASK_SIZE_MAX) return null;
  const next = mm.vmas.next(vma);
  if (next !== null && next.start < end) return null;
  if ((vma.flags & VM_ACCOUNT) !== 0 && !mayCommit(mm, (end - start) / PAGE_SIZE)) {
    return refuse(mm, "ENOMEM", "mremap", "the growth cannot be promised");
  }
  const { flags, pkey, anonVma, file } = vma;
  if (vma.ops?.close !== undefined || !mm.system.flavour.mremap.growthMerges) {
    // A VMA that never merges may grow all the same.
    preallocateNodes(mm.system);
    mm.system.trace.add(EV.vma_tree_write);
    mm.vmas.setBounds(vma, vma.start, end);
    return ok(address);
  }
  const pgoff = linearPageIndex(vma, start);
  const merged = vmaMerge(mm, { prev: vma, start, end, flags, pkey, anonVma, file, pgoff });
  return merged === null
    ? refuse(mm, "ENOMEM", "mremap", "the VMA and its growth do not merge")
    : ok(address);
}
