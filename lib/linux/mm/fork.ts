/**
 * fork, as far as the address space goes: VMAs are copied but for those with DONTCOPY, entries only where a fault
 * could not make them again, private pages are shared read-only from then on.
 *
 * Left out: swap entries, transparent huge pages, userfaultfd.
 *
 * @module
 */

import { enterCall, refuse } from "./last_call.ts";
import { ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_RW } from "../../x86/pte.ts";
import { AnonVma } from "./anon_vma.ts";
import { exitMmap } from "./exit.ts";
import { getFile } from "./file.ts";
import { copyHugePageRange } from "./hugetlb_fault.ts";
import { vmNormalPage } from "./memory.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { MmStruct } from "./mm_struct.ts";
import { GUP_PIN_COUNTING_BIAS, PG_anon, PG_anon_exclusive } from "./page.ts";
import { countTableScan, forEachPresentPteLazy, forEachPteTable } from "./page_range.ts";
import type { PteSlot } from "./paravirt.ts";
import { allocPgd, allocSlot, rawFrame } from "./pgtable.ts";
import { MmuGather } from "./tlb_gather.ts";
import { Vma } from "./vma.ts";
import {
  isCowMapping,
  VM_DONTCOPY,
  VM_HUGETLB,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_SHARED,
  VM_WIPEONFORK,
} from "./vm_flags.ts";
import { NO_PAGE } from "./vm_ops.ts";

/**
 * A copy of the address space for a child.
 *
 * @returns ENOMEM without memory for a VMA, a table or a copy: the child is gone, the parent is as after a fork
 * @throws {KernelBug} where the hypervisor refuses the child's tables
 * @cite linux 6.1 kernel/fork.c dup_mmap
 *
 * @example
 * ```ts
 * import { forkMm, MAP_ANONYMOUS, MAP_PRIVATE, mmap, nativeLinux, PROT_READ, PROT_WRITE, userAccess } from "grantlab/linux/mm";
 * const mm = nativeLinux().process();
 * const at = mmap(mm, { length: 4096, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS });
 * if (!at.ok) throw new Error(at.errno);
 * userAccess(mm, 0, at.value, "w", 1);
 * const child = forkMm(mm);
 * userAccess(child, 0, at.value, "w", 2);
 * const seen = userAccess(mm, 0, at.value, "r");
 * if (!seen.ok || seen.value !== 1) throw new Error();
 * ```
 */
export function dupMm(parent: MmStruct): SysResult<MmStruct> {
  const { system } = parent;
  enterCall(parent, "fork");
  parent.mmapWriteLock();
  const pgd = allocPgd(system);
  if (pgd === NO_PAGE) return refuse(parent, "ENOMEM", "pgd_alloc", "no memory for a page table");
  const child = new MmStruct(system, pgd);
  child.mmapBase = parent.mmapBase;
  child.stackLimit = parent.stackLimit;
  child.pkeyAllocationMap = parent.pkeyAllocationMap;
  child.executeOnlyPkey = parent.executeOnlyPkey;
  child.pkru = parent.pkru;
  child.maxMapCount = parent.maxMapCount;
  child.startBrk = parent.startBrk;
  child.brk = parent.brk;
  const gather = new MmuGather(parent, false);
  const isCopied = [...parent.vmas].every((vma) =>
    (vma.flags & VM_DONTCOPY) !== 0 || dupVma(gather, child, vma)
  );
  gather.finish();
  if (!isCopied) {
    exitMmap(child);
    return refuse(parent, "ENOMEM", "dup_mmap", "no memory for a VMA or a page table of the child");
  }
  system.pv.dupMmap(child);
  return ok(child);
}

/**
 * As {@linkcode dupMm}, for those who have memory enough.
 *
 * @throws {RangeError} instead of ENOMEM
 */
export function forkMm(parent: MmStruct): MmStruct {
  const child = dupMm(parent);
  if (!child.ok) throw new RangeError("Cannot fork: no page of memory is left");
  return child.value;
}

/** One VMA and its entries; false without memory. */
function dupVma(gather: MmuGather, child: MmStruct, vma: Vma): boolean {
  if (!child.system.vmaAllocation()) return false;
  const copy = dupForChild(child, vma);
  child.vmas.insert(copy);
  copy.ops?.open?.(copy);
  return (copy.flags & VM_WIPEONFORK) !== 0 || copyPageRange(gather, copy, vma);
}

function dupForChild(child: MmStruct, vma: Vma): Vma {
  child.system.trace.add(EV.vma_alloc);
  const file = vma.file === null ? null : getFile(vma.file);
  const flags = vma.flags & ~(VM_LOCKED | VM_LOCKONFAULT);
  const copy = new Vma(child, vma.start, vma.end, flags, vma.pgoff, file, vma.ops);
  // Huge pages stay promised to the parent.
  copy.privateData = (flags & VM_HUGETLB) !== 0 ? null : vma.privateData;
  copy.pkey = vma.pkey;
  copy.ext = vma.ext;
  if (vma.anonVma !== null && (flags & VM_WIPEONFORK) === 0) {
    copy.anonVma = new AnonVma(vma.start);
    copy.anonVmaChain = [...vma.anonVmaChain, copy.anonVma];
    child.system.trace.add(EV.anon_vma_link, copy.anonVmaChain.length);
  }
  return copy;
}

/** False without memory. @cite linux 6.1 mm/memory.c copy_page_range */
function copyPageRange(gather: MmuGather, copy: Vma, vma: Vma): boolean {
  const { mm } = vma;
  if ((vma.flags & (VM_PFNMAP | VM_MIXEDMAP | VM_HUGETLB)) === 0 && vma.anonVma === null) return true;
  const isCow = isCowMapping(vma.flags);
  if (isCow) {
    invalidateRangeStart(mm, vma.start, vma.end, "MMU_NOTIFY_PROTECTION_PAGE");
    mm.writeProtectSeq++; // odd: a pin of pages by the fast walk would miss the copy
  }
  let hasRoom = true;
  if ((vma.flags & VM_HUGETLB) !== 0) hasRoom = copyHugePageRange(gather, copy, vma);
  else {
    forEachPteTable(mm, vma.start, vma.end, (start, end) => {
      countTableScan(mm.system, start, end);
    });
    forEachPresentPteLazy(mm, vma.start, vma.end, (address, slot, flags) => {
      if (!hasRoom) return;
      const target = allocSlot(copy.mm, address);
      hasRoom = target >= 0 && copyPresentPte(gather, copy, vma, { address, slot, target, flags });
    });
  }
  if (isCow) mm.writeProtectSeq++;
  return hasRoom;
}

interface Entry {
  readonly address: number;
  readonly slot: PteSlot;
  readonly target: PteSlot;
  readonly flags: number;
}

/** False without memory. @cite linux 6.1 mm/memory.c copy_present_pte */
function copyPresentPte(gather: MmuGather, copy: Vma, vma: Vma, entry: Entry): boolean {
  const { system } = vma.mm;
  const { memMap, pv } = system;
  const { address, slot, target } = entry;
  let { flags } = entry;
  const frame = rawFrame(system, slot);
  const page = vmNormalPage(vma, address, frame, flags);
  if (page === NO_PAGE) {
    pv.setPte(target, pv.ptePfn(frame, flags), flags);
    return true;
  }
  if ((memMap.flags[page]! & PG_anon) !== 0) {
    // A page that somebody may be writing to by its number stays the parent's: the child gets a copy at once.
    const isPinned = vma.mm.hasPinned && memMap.refcount[page]! >= GUP_PIN_COUNTING_BIAS;
    if (isPinned && (memMap.flags[page]! & PG_anon_exclusive) !== 0) {
      return copyNow(copy, page, target, flags);
    }
    memMap.flags[page]! &= ~PG_anon_exclusive;
  }
  memMap.getPage(page);
  memMap.addRmap(page);
  if (isCowMapping(vma.flags) && (flags & _PAGE_RW) !== 0) {
    flags &= ~_PAGE_RW;
    pv.wrprotectPte(slot, flags);
    gather.add(address, address + PAGE_SIZE);
  }
  if ((vma.flags & VM_SHARED) !== 0) flags &= ~_PAGE_DIRTY;
  pv.setPte(target, page, flags & ~_PAGE_ACCESSED);
  return true;
}

/** @cite linux 6.1 mm/memory.c copy_present_page */
function copyNow(copy: Vma, page: number, target: PteSlot, flags: number): boolean {
  const { system } = copy.mm;
  const fresh = system.memMap.allocPage();
  if (fresh === NO_PAGE) return false;
  system.trace.add(EV.page_copy);
  system.mem.copyFrame(system.frameOf(fresh), system.frameOf(page));
  system.memMap.flags[fresh]! |= PG_anon | PG_anon_exclusive;
  system.memMap.addRmap(fresh);
  system.pv.setPte(target, fresh, flags);
  return true;
}
