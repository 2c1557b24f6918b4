/**
 * Faults, removal, new rights and copies of huge pages: one entry of level 2 each.
 *
 * @cite linux 6.1 mm/hugetlb.c hugetlb_fault
 * @module
 */

import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY, _PAGE_PSE, _PAGE_RW } from "../../x86/pte.ts";
import { addAnonRmap, anonVmaPrepare } from "./anon_vma.ts";
import type { FaultOutcome } from "./fault.ts";
import { hugetlbFileOf, isPrivateHuge, PAGES_PER_HUGE_PAGE, RESERVATION_OWNER } from "./hugetlb.ts";
import { ptePresent } from "./memory.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { MmSystem } from "./mm_system.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { PG_anon, PG_anon_exclusive, PG_dirty } from "./page.ts";
import { maybeMkwrite, pageProtOf, pteMkdirty, pteModify } from "./page_prot.ts";
import type { PteSlot } from "./paravirt.ts";
import { allocSlot, lookupSlot, rawFlags, rawFrame } from "./pgtable.ts";
import type { MmuGather } from "./tlb_gather.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import { VM_SHARED, VM_WRITE } from "./vm_flags.ts";
import { NO_PAGE } from "./vm_ops.ts";

/** The place of the level-2 entry if a huge page is mapped there (PROT_NONE counts), else -1. */
export function hugeSlot(mm: MmStruct, address: number): PteSlot {
  const slot = lookupSlot(mm, address, 2);
  if (slot < 0) return -1;
  const flags = rawFlags(mm.system, slot);
  return ptePresent(flags) && (flags & _PAGE_PSE) !== 0 ? slot : -1;
}

/** A fault in a VMA of huge pages. */
export function hugetlbFault(vma: Vma, address: number, write: boolean, unshare: boolean): FaultOutcome {
  const { mm } = vma;
  const { system } = mm;
  const at = address - address % PMD_SIZE;
  const slot = allocSlot(mm, at, 2);
  if (slot < 0) return "OOM";
  system.trace.add(EV.pt_lock);
  system.trace.add(EV.pte_read);
  const flags = rawFlags(system, slot);
  if (!ptePresent(flags)) return hugetlbNoPage(vma, at, slot, write);
  if ((write || unshare) && (flags & _PAGE_RW) === 0) return hugetlbWp(vma, at, slot, unshare);
  const young = write ? pteMkdirty(flags | _PAGE_ACCESSED) : flags | _PAGE_ACCESSED;
  if (young !== flags) system.pv.setPteFlags(slot, young);
  return "ok";
}

/** @cite linux 6.1 mm/hugetlb.c hugetlb_no_page */
function hugetlbNoPage(vma: Vma, address: number, slot: PteSlot, write: boolean): FaultOutcome {
  const { system } = vma.mm;
  const data = hugetlbFileOf(vma);
  const index = linearPageIndex(vma, address) / PAGES_PER_HUGE_PAGE;
  let page = isPrivateHuge(vma) ? NO_PAGE : data.pages.get(index) ?? NO_PAGE;
  if (page === NO_PAGE) {
    page = allocHugePage(vma);
    if (page === NO_PAGE) return "SIGBUS";
    clearHugePage(system, page);
    if (!isPrivateHuge(vma)) data.pages.set(index, page);
  }
  if (isPrivateHuge(vma)) {
    anonVmaPrepare(vma);
    addAnonRmap(vma, page);
  } else {
    system.memMap.getPage(page);
    system.memMap.addRmap(page);
  }
  const isShared = (vma.flags & VM_SHARED) !== 0;
  let flags = pageProtOf(vma) | _PAGE_PSE | _PAGE_ACCESSED;
  if (isShared && (vma.flags & VM_WRITE) !== 0) flags = pteMkdirty(flags | _PAGE_RW);
  system.pv.setPte(slot, page, flags);
  // A write to private memory looks at the page once more, without a second fault.
  return write && !isShared ? hugetlbWp(vma, address, slot, false) : "ok";
}

function allocHugePage(vma: Vma): number {
  const data = hugetlbFileOf(vma);
  const isPromised = data.promised > 0 && vma.privateData === RESERVATION_OWNER;
  const page = data.pool.alloc(isPromised);
  if (page !== NO_PAGE) {
    vma.mm.system.trace.add(EV.page_alloc);
    if (isPromised) data.promised--;
  }
  return page;
}

function clearHugePage(system: MmSystem, page: number): void {
  system.trace.add(EV.page_clear, PAGES_PER_HUGE_PAGE);
  for (let i = 0; i < PAGES_PER_HUGE_PAGE; i++) system.mem.clearFrame(system.frameOf(page + i));
}

/** A write to a huge page that is mapped read-only. @cite linux 6.1 mm/hugetlb.c hugetlb_wp */
function hugetlbWp(vma: Vma, address: number, slot: PteSlot, unshare: boolean): FaultOutcome {
  const { mm } = vma;
  const { system } = mm;
  const { memMap, pv } = system;
  const flags = rawFlags(system, slot);
  const old = pv.ptePfn(rawFrame(system, slot), flags);
  const reuse = () => pv.setPteFlags(slot, maybeMkwrite(pteMkdirty(flags | _PAGE_ACCESSED), vma));
  const isAnon = (memMap.flags[old]! & PG_anon) !== 0;
  if ((vma.flags & VM_SHARED) !== 0 || isAnon && memMap.pageMapcount(old) === 1) {
    if (isAnon) memMap.flags[old]! |= PG_anon_exclusive;
    if (!unshare) reuse();
    return "ok";
  }
  if (unshare && !isAnon) return "ok";
  anonVmaPrepare(vma);
  const copy = allocHugePage(vma);
  if (copy === NO_PAGE) return "SIGBUS";
  copyHugePage(system, copy, old);
  invalidateRangeStart(mm, address, address + PMD_SIZE, "MMU_NOTIFY_CLEAR");
  pv.clearPte(slot);
  pv.flushTlbRange(mm, address, address + PMD_SIZE);
  addAnonRmap(vma, copy);
  const prot = pageProtOf(vma) | _PAGE_PSE | _PAGE_ACCESSED;
  pv.setPte(slot, copy, unshare ? prot & ~_PAGE_RW : maybeMkwrite(pteMkdirty(prot), vma));
  memMap.removeRmap(old);
  memMap.putPage(old);
  return "ok";
}

/** @cite linux 6.1 mm/memory.c copy_user_huge_page */
function copyHugePage(system: MmSystem, to: number, from: number): void {
  system.trace.add(EV.page_copy, PAGES_PER_HUGE_PAGE);
  for (let i = 0; i < PAGES_PER_HUGE_PAGE; i++) {
    system.mem.copyFrame(system.frameOf(to + i), system.frameOf(from + i));
  }
}

/** Calls `visit` for every huge page mapped in `[start, end)`. */
export function forEachHugePage(
  mm: MmStruct,
  start: number,
  end: number,
  visit: (address: number, slot: PteSlot, flags: number) => void,
): void {
  for (let address = start - start % PMD_SIZE; address < end; address += PMD_SIZE) {
    const slot = hugeSlot(mm, address);
    if (slot >= 0) visit(address, slot, rawFlags(mm.system, slot));
  }
}

/** Unmaps the huge pages of a range; the caller has told the notifiers. @cite linux 6.1 mm/hugetlb.c __unmap_hugepage_range */
export function zapHugePages(gather: MmuGather, vma: Vma, start: number, end: number): void {
  const { system } = vma.mm;
  const { memMap, pv } = system;
  forEachHugePage(vma.mm, start, end, (address, slot, flags) => {
    const page = pv.ptePfn(rawFrame(system, slot), flags);
    system.trace.add(EV.pte_read);
    pv.clearPte(slot);
    gather.add(address, address + PMD_SIZE);
    if ((flags & _PAGE_DIRTY) !== 0) memMap.flags[page]! |= PG_dirty;
    memMap.removeRmap(page);
    memMap.putPage(page);
  });
}

/** New rights for the huge pages of a range. @cite linux 6.1 mm/hugetlb.c hugetlb_change_protection */
export function changeHugeProtection(gather: MmuGather, vma: Vma, start: number, end: number): void {
  const { system } = vma.mm;
  invalidateRangeStart(vma.mm, start, end, "MMU_NOTIFY_PROTECTION_VMA");
  const prot = pageProtOf(vma);
  forEachHugePage(vma.mm, start, end, (address, slot, flags) => {
    system.trace.add(EV.pte_read);
    system.pv.setPteFlags(slot, pteModify(flags, prot) | _PAGE_PSE);
    gather.add(address, address + PMD_SIZE);
  });
}

/** Moves the huge pages of a range; false if there is no page for a table. @cite linux 6.1 mm/hugetlb.c move_hugetlb_page_tables */
export function moveHugePages(gather: MmuGather, from: number, to: number, length: number): boolean {
  const { mm } = gather;
  const { system } = mm;
  let hasRoom = true;
  forEachHugePage(mm, from, from + length, (address, slot, flags) => {
    const target = hasRoom ? allocSlot(mm, to + address - from, 2) : -1;
    if (target < 0) {
      hasRoom = false;
      return;
    }
    const page = system.pv.ptePfn(rawFrame(system, slot), flags);
    system.pv.clearPte(slot);
    system.pv.setPte(target, page, flags);
    gather.add(address, address + PMD_SIZE);
  });
  return hasRoom;
}

/** Shares the huge pages of a VMA with a forked child; false without memory. @cite linux 6.1 mm/hugetlb.c copy_hugetlb_page_range */
export function copyHugePageRange(gather: MmuGather, copy: Vma, vma: Vma): boolean {
  const { system } = vma.mm;
  const { memMap, pv } = system;
  let hasRoom = true;
  forEachHugePage(vma.mm, vma.start, vma.end, (address, slot, flags) => {
    const target = hasRoom ? allocSlot(copy.mm, address, 2) : -1;
    if (target < 0) {
      hasRoom = false;
      return;
    }
    const page = pv.ptePfn(rawFrame(system, slot), flags);
    memMap.flags[page]! &= ~PG_anon_exclusive;
    memMap.getPage(page);
    memMap.addRmap(page);
    let shared = flags;
    if (isPrivateHuge(vma) && (flags & _PAGE_RW) !== 0) {
      shared = flags & ~_PAGE_RW;
      pv.setPteFlags(slot, shared);
      gather.add(address, address + PAGE_SIZE);
    }
    pv.setPte(target, page, shared);
  });
  return hasRoom;
}
