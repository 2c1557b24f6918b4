/**
 * The slow path of `get_user_pages`, one page at a time: may the VMA be looked into, what does the entry say, and a
 * fault where it says too little.
 *
 * Left out: migration of pages that a long-term pin must not hold in place (ENOMEM instead), poisoned pages, signals.
 *
 * @module
 */

import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_SOFT_DIRTY } from "../../x86/pte.ts";
import { handleMmFault } from "./fault.ts";
import { mustUnshare } from "./gup_fast/generic.ts";
import {
  FOLL_ANON,
  FOLL_DUMP,
  FOLL_FORCE,
  FOLL_LONGTERM,
  FOLL_NOFAULT,
  FOLL_PIN,
  FOLL_REMOTE,
  FOLL_TOUCH,
  FOLL_WRITE,
} from "./gup_flags.ts";
import { hugeSlot } from "./hugetlb_fault.ts";
import { ptePresent, vmNormalPage } from "./memory.ts";
import type { MmStruct } from "./mm_struct.ts";
import {
  GUP_PIN_COUNTING_BIAS,
  PG_anon,
  PG_anon_exclusive,
  PG_dirty,
  PG_movable,
  PG_referenced,
} from "./page.ts";
import { lookupSlot, rawFlags, rawFrame } from "./pgtable.ts";
import { vmaAccessPermitted } from "./pkeys.ts";
import type { Vma } from "./vma.ts";
import {
  isCowMapping,
  VM_HUGETLB,
  VM_IO,
  VM_MAYREAD,
  VM_PFNMAP,
  VM_READ,
  VM_SOFTDIRTY,
  VM_WRITE,
} from "./vm_flags.ts";
import { NO_PAGE, NOT_SUPPLIED } from "./vm_ops.ts";

/** One decision on the way to a page. */
export interface GupDecision {
  /** Page it is about. */
  readonly address: number;
  /** Kernel function, verbatim. */
  readonly where: string;
  /** What it saw and did, without full stop. */
  readonly what: string;
}

/** References that one page found is worth. @cite linux 6.1 mm/gup.c try_grab_page */
export function referencesOf(gupFlags: number): number {
  return (gupFlags & FOLL_PIN) !== 0 ? GUP_PIN_COUNTING_BIAS : 1;
}

/** One page by the slow path; `vma` ends above it or is null. @cite linux 6.1 mm/gup.c __get_user_pages */
export function getUserPage(
  mm: MmStruct,
  vma: Vma | null,
  address: number,
  gupFlags: number,
  decisions: GupDecision[] | undefined,
): SysResult<number> {
  const { system } = mm;
  if (vma === null || !vma.contains(address)) {
    decisions?.push({ address, where: "__get_user_pages", what: "no VMA holds the address: EFAULT" });
    return fail("EFAULT");
  }
  const { foreign } = system.flavour;
  const unchecked = takeEarly(mm, address, foreign.pageBeforeChecks(vma, address), gupFlags, decisions);
  if (unchecked !== null) return unchecked;
  const refused = checkVmaFlags(vma, gupFlags);
  if (refused !== null) {
    decisions?.push({ address, where: "check_vma_flags", what: `the VMA refuses: ${refused}` });
    return fail(refused);
  }
  const early = takeEarly(mm, address, foreign.pageBeforeFault(vma, address), gupFlags, decisions);
  if (early !== null) return early;
  // Two faults are the most a page can need: one to make it present, one to break copy-on-write.
  for (let tries = 0; tries < 3; tries++) {
    const found = followPagePte(vma, address, gupFlags, decisions);
    if (typeof found === "object") return found;
    if ((gupFlags & FOLL_NOFAULT) !== 0) return fail("EFAULT");
    const isWrite = (gupFlags & FOLL_WRITE) !== 0;
    const outcome = handleMmFault(vma, address, isWrite, found === NEEDS_UNSHARE);
    decisions?.push({ address, where: "faultin_page", what: `handle_mm_fault answers ${outcome}` });
    if (outcome === "OOM") return fail("ENOMEM");
    if (outcome !== "ok") return fail("EFAULT");
  }
  return fail("EFAULT");
}

/** The page that a design supplies before the entry is looked at, if it does; null otherwise. */
function takeEarly(
  mm: MmStruct,
  address: number,
  page: number,
  gupFlags: number,
  decisions: GupDecision[] | undefined,
): SysResult<number> | null {
  if (page === NOT_SUPPLIED || page === NO_PAGE) return null;
  decisions?.push({
    address,
    where: "__get_user_pages",
    what: `finds pfn ${hex(page)} in the VMA's own pages`,
  });
  mm.system.memMap.getPage(page, referencesOf(gupFlags));
  return ok(page);
}

const NEEDS_FAULT = Symbol("needs fault");
const NEEDS_UNSHARE = Symbol("needs fault with FAULT_FLAG_UNSHARE");

/** Which VMAs get_user_pages may look into. @cite linux 6.1 mm/gup.c check_vma_flags */
function checkVmaFlags(vma: Vma, gupFlags: number): Errno | null {
  const { flags } = vma;
  const isWrite = (gupFlags & FOLL_WRITE) !== 0;
  if ((flags & (VM_IO | VM_PFNMAP)) !== 0) return "EFAULT";
  if ((gupFlags & FOLL_ANON) !== 0 && vma.ops !== null) return "EFAULT";
  if (vma.ops?.isSecret === true) return "EFAULT";
  if (isWrite) {
    const longtermPin = FOLL_LONGTERM | FOLL_PIN;
    if (vma.mm.system.flavour.gupFilePins === "memory files" && (gupFlags & longtermPin) === longtermPin) {
      if (vma.ops?.isDirtyTracked === true) return "EFAULT";
    }
    if ((flags & VM_WRITE) === 0) {
      if ((gupFlags & FOLL_FORCE) === 0 || (flags & VM_HUGETLB) !== 0 || !isCowMapping(flags)) {
        return "EFAULT";
      }
    }
  } else if ((flags & VM_READ) === 0 && ((gupFlags & FOLL_FORCE) === 0 || (flags & VM_MAYREAD) === 0)) {
    return "EFAULT";
  }
  if ((gupFlags & FOLL_REMOTE) !== 0) return null;
  return vmaAccessPermitted(vma, isWrite, false) ? null : "EFAULT";
}

/** The page behind the entry, or what else must happen. @cite linux 6.1 mm/gup.c follow_page_pte */
function followPagePte(
  vma: Vma,
  address: number,
  gupFlags: number,
  decisions: GupDecision[] | undefined,
): SysResult<number> | typeof NEEDS_FAULT | typeof NEEDS_UNSHARE {
  const { system } = vma.mm;
  system.trace.add(EV.gup_slow_page);
  system.trace.add(EV.pt_lock);
  const isHuge = (vma.flags & VM_HUGETLB) !== 0;
  const slot = isHuge ? hugeSlot(vma.mm, address) : lookupSlot(vma.mm, address);
  const flags = slot < 0 ? 0 : rawFlags(system, slot);
  system.trace.add(EV.pte_read);
  if (!ptePresent(flags)) {
    decisions?.push({ address, where: "follow_page_pte", what: "entry is not present" });
    return NEEDS_FAULT;
  }
  if ((flags & _PAGE_PRESENT) === 0 && (gupFlags & FOLL_FORCE) === 0) return NEEDS_FAULT; // PROT_NONE
  const head = vmNormalPage(vma, address, rawFrame(system, slot), flags);
  const page = isHuge ? head + address % PMD_SIZE / PAGE_SIZE : head;
  if ((gupFlags & FOLL_WRITE) !== 0 && !canFollowWritePte(vma, page, flags, gupFlags)) {
    decisions?.push({ address, where: "follow_page_pte", what: "entry is read-only" });
    return NEEDS_FAULT;
  }
  if (page === NO_PAGE) return followNoPage(vma, address, slot, gupFlags, decisions);
  const { memMap } = system;
  if ((flags & _PAGE_RW) === 0 && mustUnshare(memMap.flags[head]!, gupFlags)) {
    decisions?.push({ address, where: "gup_must_unshare", what: `pfn ${hex(page)} is shared copy-on-write` });
    return NEEDS_UNSHARE;
  }
  if ((gupFlags & FOLL_LONGTERM) !== 0 && (memMap.flags[head]! & PG_movable) !== 0) {
    decisions?.push({
      address,
      where: "check_and_migrate_movable_pages",
      what: "no page to move it to: ENOMEM",
    });
    return fail("ENOMEM");
  }
  if ((gupFlags & FOLL_TOUCH) !== 0) {
    memMap.flags[head]! |= PG_referenced | ((gupFlags & FOLL_WRITE) !== 0 ? PG_dirty : 0);
  }
  decisions?.push({ address, where: "vm_normal_page", what: `answers pfn ${hex(page)}` });
  system.memMap.getPage(page, referencesOf(gupFlags));
  return ok(page);
}

/**
 * May a write go through the entry? Not writable is fine for FOLL_FORCE once the page is a private copy.
 *
 * @cite linux 6.1 mm/gup.c can_follow_write_pte
 */
function canFollowWritePte(vma: Vma, page: number, flags: number, gupFlags: number): boolean {
  if ((flags & _PAGE_RW) !== 0) return true;
  if ((gupFlags & FOLL_FORCE) === 0 || page === NO_PAGE) return false;
  if (!isCowMapping(vma.flags) || (vma.flags & VM_WRITE) !== 0) return false;
  const wanted = PG_anon | PG_anon_exclusive;
  if ((vma.mm.system.memMap.flags[page]! & wanted) !== wanted) return false;
  return (vma.flags & VM_SOFTDIRTY) !== 0 || (flags & _PAGE_SOFT_DIRTY) !== 0;
}

/** A present entry without a page: fine for the page of zeros, else an errno that the flavour knows. */
function followNoPage(
  vma: Vma,
  address: number,
  slot: number,
  gupFlags: number,
  decisions: GupDecision[] | undefined,
): SysResult<number> {
  const { system } = vma.mm;
  const pfn = system.pv.ptePfn(rawFrame(system, slot), rawFlags(system, slot));
  if (pfn === system.zeroPage && (gupFlags & FOLL_DUMP) === 0) {
    system.memMap.getPage(pfn, referencesOf(gupFlags));
    return ok(pfn);
  }
  const errno = (gupFlags & FOLL_DUMP) !== 0 ? "EFAULT" : system.flavour.gupNoPage;
  decisions?.push({ address, where: "vm_normal_page", what: `answers no page: ${errno}` });
  return fail(errno);
}
