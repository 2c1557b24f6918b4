/**
 * Moving a part of a VMA: a copy of the VMA (or a neighbour at the target that grows), the entries moved over, the
 * old range unmapped.
 *
 * @module
 */

import { ok, type SysResult } from "../../core/errno.ts";
import { refuse } from "./last_call.ts";
import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_SOFT_DIRTY } from "../../x86/pte.ts";
import { mayCommit } from "./commit.ts";
import { moveHugePages } from "./hugetlb_fault.ts";
import { vmaMerge } from "./merge.ts";
import type { MmStruct } from "./mm_struct.ts";
import { MREMAP_DONTUNMAP } from "./mremap_flags.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { doMunmap } from "./munmap.ts";
import { countTableScan, forEachPresentPte, forEachPteTable } from "./page_range.ts";
import { allocSlot, rawFrame } from "./pgtable.ts";
import { splitVma } from "./split.ts";
import { MmuGather } from "./tlb_gather.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import { vmAreaDup, vmStatAccount } from "./vm_area.ts";
import { VM_ACCOUNT, VM_HUGETLB, VM_LOCKED, VM_LOCKONFAULT } from "./vm_flags.ts";
import { preallocateNodes } from "./tree_nodes.ts";

/** What moves where. Lengths in bytes, page aligned. */
export interface VmaMove {
  readonly address: number;
  readonly oldLength: number;
  readonly newLength: number;
  readonly newAddress: number;
  /** MREMAP_* bits. */
  readonly flags: number;
}

/** Moves; answers the new address. @cite linux 6.1 mm/mremap.c move_vma */
export function moveVma(source: Vma, move: VmaMove): SysResult<number> {
  const { mm } = source;
  const { address, oldLength, newLength, newAddress } = move;
  const end = address + oldLength;
  const keepsOld = (move.flags & MREMAP_DONTUNMAP) !== 0;
  // The final munmap may cut one VMA into three.
  if (mm.vmas.size >= mm.maxMapCount - 3) {
    return refuse(mm, "ENOMEM", "move_vma", `${mm.vmas.size} VMAs leave no room for three more pieces`);
  }
  for (const cut of [address, end]) {
    if (cut === source.start || cut === source.end) continue;
    const refused = source.ops?.maySplit?.(source, cut) ?? null;
    if (refused !== null) return refuse(mm, refused, "move_vma", "may_split refuses the cut");
  }
  const isAccounted = (source.flags & VM_ACCOUNT) !== 0;
  if (isAccounted && !mayCommit(mm, newLength / PAGE_SIZE)) {
    return refuse(mm, "ENOMEM", "move_vma", "the copy cannot be promised beside the old range");
  }
  const pgoff = linearPageIndex(source, address);
  const copied = copyVma(source, newAddress, newLength, pgoff, keepsOld);
  if (copied === null) return refuse(mm, "ENOMEM", "copy_vma", "no memory for a VMA");
  const [vma, copy] = copied;
  if (!movePageTables(mm, address, newAddress, oldLength)) {
    movePageTables(mm, newAddress, address, oldLength);
    doMunmap(mm, newAddress, newLength);
    return refuse(
      mm,
      "ENOMEM",
      "move_page_tables",
      "no memory for page tables; what had moved is moved back",
    );
  }
  vmStatAccount(mm);
  if (keepsOld) {
    keepOld(vma, copy, address, end);
    return ok(newAddress);
  }
  if (oldLength > 0) doMunmap(mm, address, oldLength);
  return ok(newAddress);
}

/**
 * What stays behind with MREMAP_DONTUNMAP: the range moved is no longer locked, and if it is a whole VMA it forgets
 * its anonymous pages. Where only the range loses the lock, it may have to be cut out; the pieces do not merge.
 *
 * @cite recorded vma-random.jsonl r1010
 * @cite recorded vma-random.jsonl r1043
 */
function keepOld(vma: Vma, copy: Vma, address: number, end: number): void {
  if ((vma.flags & (VM_LOCKED | VM_LOCKONFAULT)) !== 0) {
    if (vma.mm.system.flavour.mremap.dontunmapUnlocks === "range") {
      if (vma.start < address) splitVma(vma, address, true);
      if (vma.end > end) splitVma(vma, end, false);
    }
    vma.flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
  }
  if (copy !== vma && vma.start === address && vma.end === end) {
    vma.anonVma = null;
    vma.anonVmaChain = [];
    // Without pages that know the old offset it may count from its place again.
    if (vma.ops === null && vma.mm.system.flavour.mremap.dontunmapRenumbers) {
      vma.pgoff = vma.start / PAGE_SIZE;
    }
  }
}

/**
 * The VMA at the target: a neighbour that grew, or a copy. If the source itself was the neighbour, it comes back as
 * the first of the two; with `keepsOld` it stays apart, where the flavour says so.
 *
 * @cite recorded vma-random.jsonl r1004
 * @cite linux 6.1 mm/mmap.c copy_vma
 */
function copyVma(
  source: Vma,
  start: number,
  length: number,
  linear: number,
  keepsOld: boolean,
): [source: Vma, target: Vma] | null {
  const { mm, flags, pkey, anonVma, anonVmaChain, file } = source;
  // Never touched anonymous memory takes the offset of its new place: it has no pages that know the old one.
  const pgoff = source.ops === null && anonVma === null ? start / PAGE_SIZE : linear;
  const home = source.start;
  const prev = mm.vmas.lastBelow(start);
  const request = { prev, start, end: start + length, flags, pkey, anonVma, anonVmaChain, file, pgoff };
  const staysApart = keepsOld && !mm.system.flavour.mremap.dontunmapMerges;
  const merged = vmaMerge(mm, staysApart ? { ...request, except: source } : request);
  if (merged !== null) return [merged.contains(home) ? merged : source, merged];
  const copy = vmAreaDup(source);
  if (copy === null) return null;
  copy.start = start;
  copy.end = start + length;
  copy.pgoff = pgoff;
  copy.ops?.open?.(copy);
  preallocateNodes(mm.system);
  mm.system.trace.add(EV.vma_tree_write);
  mm.vmas.insert(copy);
  return [source, copy];
}

/** Moves the entries; false if there is no page for a table. @cite linux 6.1 mm/mremap.c move_page_tables */
function movePageTables(mm: MmStruct, from: number, to: number, length: number): boolean {
  if (length === 0) return true;
  invalidateRangeStart(mm, from, from + length, "MMU_NOTIFY_UNMAP");
  const source = mm.vmas.lookup(from);
  if (source !== null && (source.flags & VM_HUGETLB) !== 0) {
    const gather = new MmuGather(mm, false);
    const moved = moveHugePages(gather, from, to, length);
    gather.finish();
    return moved;
  }
  let hasRoom = true;
  forEachPteTable(mm, from, from + length, (start, end) => {
    countTableScan(mm.system, start, end);
    for (let at = start; at < end && hasRoom;) {
      const target = to + at - from;
      const stop = Math.min(end, at + PMD_SIZE - target % PMD_SIZE);
      hasRoom = movePtes(mm, at, stop, target);
      at = stop;
    }
  });
  return hasRoom;
}

/** Moves the entries of one table into one other; false if there is no page for that. @cite linux 6.1 mm/mremap.c move_ptes */
function movePtes(mm: MmStruct, from: number, end: number, to: number): boolean {
  const { system } = mm;
  const { pv } = system;
  const first = allocSlot(mm, to);
  if (first < 0) return false;
  const gather = new MmuGather(mm, false);
  pv.enterLazyMmu();
  forEachPresentPte(mm, from, end, (address, slot, flags) => {
    const pfn = pv.ptePfn(rawFrame(system, slot), flags);
    pv.clearPte(slot);
    pv.setPte(first + (address - from) / PAGE_SIZE * 2, pfn, flags | _PAGE_SOFT_DIRTY);
    gather.add(from, end);
  });
  pv.leaveLazyMmu();
  gather.finish();
  return true;
}
