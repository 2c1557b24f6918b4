/**
 * fork, as far as the address space goes: VMAs are copied but for those with DONTCOPY, entries only where a fault
 * could not make them again, private pages are shared read-only from then on.
 *
 * Left out: swap entries, huge pages, userfaultfd; a failure half-way (without memory the model throws).
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_RW } from "../../x86/pte.ts";
import { AnonVma } from "./anon_vma.ts";
import { getFile } from "./file.ts";
import { vmNormalPage } from "./memory.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { MmStruct } from "./mm_struct.ts";
import { GUP_PIN_COUNTING_BIAS, PG_anon, PG_anon_exclusive } from "./page.ts";
import { forEachPresentPte } from "./page_range.ts";
import type { PteSlot } from "./paravirt.ts";
import { allocSlot, rawFrame } from "./pgtable.ts";
import { MmuGather } from "./tlb_gather.ts";
import { Vma } from "./vma.ts";
import {
  isCowMapping,
  VM_DONTCOPY,
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
 * @throws {RangeError} if there is no page left for a table or a copy
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
export function forkMm(parent: MmStruct): MmStruct {
  const { system } = parent;
  system.trace.add(EV.syscall);
  parent.mmapLock();
  const child = new MmStruct(system);
  child.mmapBase = parent.mmapBase;
  child.stackLimit = parent.stackLimit;
  child.pkeyAllocationMap = parent.pkeyAllocationMap;
  child.executeOnlyPkey = parent.executeOnlyPkey;
  child.pkru = parent.pkru;
  child.maxMapCount = parent.maxMapCount;
  const gather = new MmuGather(parent);
  for (const vma of [...parent.vmas]) {
    if ((vma.flags & VM_DONTCOPY) !== 0) continue;
    const copy = dupForChild(child, vma);
    copy.ops?.open?.(copy);
    child.vmas.insert(copy);
    if ((copy.flags & VM_WIPEONFORK) === 0) copyPageRange(gather, copy, vma);
  }
  gather.finish();
  system.pv.dupMmap(child);
  return child;
}

function dupForChild(child: MmStruct, vma: Vma): Vma {
  child.system.trace.add(EV.vma_alloc);
  const file = vma.file === null ? null : getFile(vma.file);
  const flags = vma.flags & ~(VM_LOCKED | VM_LOCKONFAULT);
  const copy = new Vma(child, vma.start, vma.end, flags, vma.pgoff, file, vma.ops);
  copy.privateData = vma.privateData;
  copy.pkey = vma.pkey;
  copy.ext = { ...vma.ext };
  if (vma.anonVma !== null && (flags & VM_WIPEONFORK) === 0) {
    copy.anonVma = new AnonVma(vma.start);
    copy.anonVmaChain = [...vma.anonVmaChain, copy.anonVma];
  }
  return copy;
}

/** @cite linux 6.1 mm/memory.c copy_page_range */
function copyPageRange(gather: MmuGather, copy: Vma, vma: Vma): void {
  if ((vma.flags & (VM_PFNMAP | VM_MIXEDMAP)) === 0 && vma.anonVma === null) return;
  const isCow = isCowMapping(vma.flags);
  if (isCow) invalidateRangeStart(vma.mm, vma.start, vma.end, "MMU_NOTIFY_PROTECTION_PAGE");
  forEachPresentPte(vma.mm, vma.start, vma.end, (address, slot, flags) => {
    const target = allocSlot(copy.mm, address);
    if (target < 0) throw new RangeError("Cannot fork: no page is left for a page table");
    copyPresentPte(gather, copy, vma, { address, slot, target, flags });
  });
}

interface Entry {
  readonly address: number;
  readonly slot: PteSlot;
  readonly target: PteSlot;
  readonly flags: number;
}

/** @cite linux 6.1 mm/memory.c copy_present_pte */
function copyPresentPte(gather: MmuGather, copy: Vma, vma: Vma, entry: Entry): void {
  const { system } = vma.mm;
  const { memMap, pv } = system;
  const { address, slot, target } = entry;
  let { flags } = entry;
  const frame = rawFrame(system, slot);
  const page = vmNormalPage(vma, address, frame, flags);
  if (page === NO_PAGE) {
    pv.setPte(target, pv.ptePfn(frame, flags), flags);
    return;
  }
  if ((memMap.flags[page]! & PG_anon) !== 0) {
    // A page that somebody may be writing to by its number stays the parent's: the child gets a copy at once.
    const isPinned = memMap.refcount[page]! >= GUP_PIN_COUNTING_BIAS;
    if (isPinned && (memMap.flags[page]! & PG_anon_exclusive) !== 0) {
      return copyNow(copy, page, target, flags);
    }
    memMap.flags[page]! &= ~PG_anon_exclusive;
  }
  memMap.getPage(page);
  memMap.addRmap(page);
  if (isCowMapping(vma.flags) && (flags & _PAGE_RW) !== 0) {
    flags &= ~_PAGE_RW;
    pv.setPteFlags(slot, flags);
    gather.add(address, address + PAGE_SIZE);
  }
  if ((vma.flags & VM_SHARED) !== 0) flags &= ~_PAGE_DIRTY;
  pv.setPte(target, page, flags & ~_PAGE_ACCESSED);
}

/** @cite linux 6.1 mm/memory.c copy_present_page */
function copyNow(copy: Vma, page: number, target: PteSlot, flags: number): void {
  const { system } = copy.mm;
  const fresh = system.memMap.allocPage();
  if (fresh === NO_PAGE) throw new RangeError("Cannot fork: no page is left for a copy");
  system.trace.add(EV.page_copy);
  system.mem.copyFrame(system.frameOf(fresh), system.frameOf(page));
  system.memMap.flags[fresh]! |= PG_anon | PG_anon_exclusive;
  system.memMap.addRmap(fresh);
  system.pv.setPte(target, fresh, flags);
}
