/**
 * `get_user_pages`: the fast walk first, the slow path for what it left. Each answer can say *why*: pass a list and
 * it is filled with the decisions in order, each with the kernel function that takes it.
 *
 * Long-term rules for file-backed pages and secret memory are absent (README.md of this layer).
 *
 * @cite linux 6.1 mm/gup.c internal_get_user_pages_fast
 * @module
 */

import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_SOFT_DIRTY } from "../../x86/pte.ts";
import { handleMmFault } from "./fault.ts";
import { type GupFastBail, gupFastResult } from "./gup_fast/walker.ts";
import { mustUnshare } from "./gup_fast/generic.ts";
import {
  FOLL_DUMP,
  FOLL_FAST_ONLY,
  FOLL_FORCE,
  FOLL_GET,
  FOLL_LONGTERM,
  FOLL_NOFAULT,
  FOLL_PIN,
  FOLL_WRITE,
} from "./gup_flags.ts";
import { findVma } from "./find_vma.ts";
import { ptePresent, vmNormalPage } from "./memory.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { GUP_PIN_COUNTING_BIAS, PG_anon, PG_anon_exclusive } from "./page.ts";
import { lookupSlot, rawFlags, rawFrame } from "./pgtable.ts";
import { vmaAccessPermitted } from "./pkeys.ts";
import type { Vma } from "./vma.ts";
import { isCowMapping, VM_IO, VM_MAYREAD, VM_PFNMAP, VM_READ, VM_SOFTDIRTY, VM_WRITE } from "./vm_flags.ts";
import { NO_PAGE, NOT_SUPPLIED } from "./vm_ops.ts";

/** Flags that the fast entry takes; all others are refused. */
const FAST_FLAGS = FOLL_WRITE | FOLL_LONGTERM | FOLL_FORCE | FOLL_PIN | FOLL_GET | FOLL_FAST_ONLY |
  FOLL_NOFAULT;

/** One decision on the way to a page. */
export interface GupDecision {
  /** Page it is about. */
  readonly address: number;
  /** Kernel function, verbatim. */
  readonly where: string;
  /** What it saw and did, without full stop. */
  readonly what: string;
}

/** Pages that a caller now holds references on. */
export interface GupPages {
  /** One pfn per page, in order; may be fewer than asked for. */
  readonly pages: readonly number[];
  /** How many of them the fast walk found. */
  readonly nrFast: number;
  /** Why the fast walk stopped, or null if it found all. */
  readonly bail: GupFastBail | null;
}

/**
 * Pages of `[start, start + nrPages * 4096)`. `start` is page aligned. Fewer than asked for is a success, as in
 * Linux; none at all is an errno.
 *
 * Errors: EINVAL for flags that the fast entry does not take, EFAULT, ENOMEM, EEXIST as the flavour says.
 *
 * @param decisions filled with what was decided, if given
 * @cite linux 6.1 mm/gup.c internal_get_user_pages_fast
 */
export function getUserPagesFast(
  mm: MmStruct,
  start: number,
  nrPages: number,
  gupFlags: number,
  decisions?: GupDecision[],
): SysResult<GupPages> {
  const { system } = mm;
  if ((gupFlags & ~FAST_FLAGS) !== 0) return fail("EINVAL");
  if (start + nrPages * PAGE_SIZE > TASK_SIZE_MAX) return fail("EFAULT");
  const fast = gupFastResult();
  const walker = system.flavour.gupFast;
  walker.walk(mm, start, nrPages, gupFlags, fast);
  const nrFast = fast.pages.length;
  if (decisions !== undefined) {
    for (let i = 0; i < nrFast; i++) {
      const what = `takes pfn ${hex(fast.pages[i]!)} from the entry`;
      decisions.push({ address: start + i * PAGE_SIZE, where: "gup_pte_range", what });
    }
    if (fast.bail !== null) {
      const address = start + nrFast * PAGE_SIZE;
      decisions.push({ address, where: "gup_pte_range", what: `gives up: ${fast.detail}` });
    }
  }
  if (nrFast === nrPages || (gupFlags & FOLL_FAST_ONLY) !== 0) {
    return ok({ pages: fast.pages, nrFast, bail: fast.bail });
  }
  mm.mmapLock();
  let vma: Vma | null = null;
  for (let i = nrFast; i < nrPages; i++) {
    const address = start + i * PAGE_SIZE;
    if (vma === null || address >= vma.end) vma = findVma(mm, address);
    const page = getUserPage(mm, vma, address, gupFlags, decisions);
    if (!page.ok) {
      if (fast.pages.length > 0) break;
      return page;
    }
    fast.pages.push(page.value);
  }
  return ok({ pages: fast.pages, nrFast, bail: fast.bail });
}

/**
 * As {@linkcode getUserPagesFast} without the fast walk: what is used on the memory of another process.
 *
 * @cite linux 6.1 mm/gup.c get_user_pages_remote
 */
export function getUserPagesRemote(
  mm: MmStruct,
  start: number,
  nrPages: number,
  gupFlags: number,
  decisions?: GupDecision[],
): SysResult<readonly number[]> {
  mm.mmapLock();
  const pages: number[] = [];
  for (let i = 0; i < nrPages; i++) {
    const address = start + i * PAGE_SIZE;
    const page = getUserPage(mm, findVma(mm, address), address, gupFlags, decisions);
    if (page.ok) pages.push(page.value);
    else if (pages.length === 0) return page;
    else break;
  }
  return { ok: true, value: pages };
}

/** Gives the references back. @cite linux 6.1 mm/gup.c unpin_user_pages */
export function releaseUserPages(mm: MmStruct, pages: readonly number[], gupFlags: number): void {
  for (const page of pages) mm.system.memMap.putPage(page, referencesOf(gupFlags));
}

/** References that one page found is worth. @cite linux 6.1 mm/gup.c try_grab_page */
function referencesOf(gupFlags: number): number {
  return (gupFlags & FOLL_PIN) !== 0 ? GUP_PIN_COUNTING_BIAS : 1;
}

/** One page by the slow path; `vma` ends above it or is null. @cite linux 6.1 mm/gup.c __get_user_pages */
function getUserPage(
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
  if ((flags & (VM_IO | VM_PFNMAP)) !== 0) return "EFAULT";
  if ((gupFlags & FOLL_WRITE) !== 0) {
    if ((flags & VM_WRITE) === 0 && ((gupFlags & FOLL_FORCE) === 0 || !isCowMapping(flags))) return "EFAULT";
  } else if ((flags & VM_READ) === 0 && ((gupFlags & FOLL_FORCE) === 0 || (flags & VM_MAYREAD) === 0)) {
    return "EFAULT";
  }
  return vmaAccessPermitted(vma, (gupFlags & FOLL_WRITE) !== 0, false) ? null : "EFAULT";
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
  const slot = lookupSlot(vma.mm, address);
  const flags = slot < 0 ? 0 : rawFlags(system, slot);
  if (!ptePresent(flags)) {
    decisions?.push({ address, where: "follow_page_pte", what: "entry is not present" });
    return NEEDS_FAULT;
  }
  if ((flags & _PAGE_PRESENT) === 0 && (gupFlags & FOLL_FORCE) === 0) return NEEDS_FAULT; // PROT_NONE
  const page = vmNormalPage(vma, address, rawFrame(system, slot), flags);
  if ((gupFlags & FOLL_WRITE) !== 0 && !canFollowWritePte(vma, page, flags, gupFlags)) {
    decisions?.push({ address, where: "follow_page_pte", what: "entry is read-only" });
    return NEEDS_FAULT;
  }
  if (page === NO_PAGE) return followNoPage(vma, address, slot, gupFlags, decisions);
  if ((flags & _PAGE_RW) === 0 && mustUnshare(system.memMap.flags[page]!, gupFlags)) return NEEDS_UNSHARE;
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
