/**
 * The new mapping itself: what was there goes first, then a neighbour grows over the range or a VMA is made, and the
 * owner of the file has its say.
 *
 * @module
 */

import { ok, type SysResult } from "../../core/errno.ts";
import { refuse } from "./last_call.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { mayCommit } from "./commit.ts";
import { type FileObject, fput, getFile } from "./file.ts";
import { isHugetlbFile } from "./hugetlb.ts";
import { mergeNewMapping, vmaMerge } from "./merge.ts";
import type { MmStruct } from "./mm_struct.ts";
import { doMunmap, unmapRegion } from "./munmap.ts";
import { shmemZeroSetup } from "./shmem.ts";
import type { Vma } from "./vma.ts";
import { vmAreaAlloc, vmAreaFree, vmStatAccount } from "./vm_area.ts";
import {
  VM_ACCOUNT,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_NORESERVE,
  VM_SHARED,
  VM_SOFTDIRTY,
  VM_SPECIAL,
  VM_WRITE,
} from "./vm_flags.ts";
import { preallocateNodes } from "./tree_nodes.ts";

/** A mapping that has passed the checks of mmap. */
export interface Region {
  readonly file: FileObject | null;
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly pkey: number;
  readonly pgoff: number;
}

/** Makes the mapping; answers the VMA that holds it. @cite linux 6.1 mm/mmap.c mmap_region */
export function mmapRegion(mm: MmStruct, region: Region): SysResult<Vma> {
  const { file, start, end } = region;
  const nrPages = (end - start) / PAGE_SIZE;
  if (!doMunmap(mm, start, end - start).ok) {
    return refuse(mm, "ENOMEM", "mmap_region", "what is mapped there cannot be unmapped");
  }
  let flags = region.flags;
  const isCharged = file === null || !isHugetlbFile(file); // huge pages have accounts of their own
  if (isCharged && (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) === VM_WRITE) {
    if (!mayCommit(mm, nrPages)) {
      return refuse(mm, "ENOMEM", "mmap_region", `${nrPages} more pages cannot be promised`);
    }
    flags |= VM_ACCOUNT;
  }
  let vma = mergeNewMapping(mm, { ...region, flags });
  if (vma === null) {
    const made = makeVma(mm, { ...region, flags });
    if (!made.ok) return made;
    vma = made.value;
    // A driver may have changed the flags, so that a neighbour fits now.
    const prev = mm.vmas.lastBelow(start);
    if (file !== null && vma.flags !== flags && prev !== null) vma = mergeAfterDriver(mm, vma, prev);
    else store(mm, vma);
  }
  if ((vma.flags & VM_LOCKED) !== 0 && (vma.flags & VM_SPECIAL) !== 0) {
    vma.flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
  }
  vma.flags |= VM_SOFTDIRTY;
  vmStatAccount(mm);
  return ok(vma);
}

function makeVma(mm: MmStruct, region: Region): SysResult<Vma> {
  const { file, start, end, flags, pgoff } = region;
  const vma = vmAreaAlloc(mm, start, end, flags, pgoff);
  // What was there before is gone all the same.
  if (vma === null) return refuse(mm, "ENOMEM", "mmap_region", "no memory for a VMA");
  vma.pkey = region.pkey;
  if (file !== null) {
    vma.file = getFile(file);
    const refused = file.ops.mmap!(vma);
    if (refused !== null) {
      discard(vma);
      return refuse(mm, refused, "mmap_region", `the mmap operation of ${file.name} refuses`);
    }
  } else if ((flags & VM_SHARED) !== 0) {
    if ((flags & VM_NORESERVE) === 0 && !mayCommit(mm, vma.nrPages)) {
      vmAreaFree(vma);
      return refuse(mm, "ENOMEM", "shmem_zero_setup", "so much shared memory cannot be promised");
    }
    shmemZeroSetup(vma);
  }
  return ok(vma);
}

/** What a driver that then refused has mapped goes, notifiers included; the hole stays a hole. */
function discard(vma: Vma): void {
  unmapRegion(vma.mm, [vma], vma.start, vma.end);
  fput(vma.file!);
  vmAreaFree(vma);
}

function mergeAfterDriver(mm: MmStruct, vma: Vma, prev: Vma): Vma {
  const { start, end, flags, pkey, file, pgoff } = vma;
  const merged = vmaMerge(mm, { prev, start, end, flags, pkey, anonVma: null, file, pgoff });
  if (merged === null) {
    store(mm, vma);
    return vma;
  }
  fput(file!);
  vmAreaFree(vma);
  return merged;
}

function store(mm: MmStruct, vma: Vma): void {
  preallocateNodes(mm.system);
  mm.system.trace.add(EV.vma_tree_write);
  mm.vmas.insert(vma);
}
