/**
 * `get_user_pages`: the fast walk first, the slow path for what it left. Each answer can say *why*: pass a list and
 * it is filled with the decisions in order, each with the kernel function that takes it.
 *
 * @cite linux 6.1 mm/gup.c internal_get_user_pages_fast
 * @module
 */

import { EV } from "../../trace/events.ts";
import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { findVma } from "./find_vma.ts";
import { type GupFastBail, gupFastResult } from "./gup_fast/walker.ts";
import {
  FOLL_FAST_ONLY,
  FOLL_FORCE,
  FOLL_GET,
  FOLL_LONGTERM,
  FOLL_NOFAULT,
  FOLL_PIN,
  FOLL_REMOTE,
  FOLL_TOUCH,
  FOLL_WRITE,
} from "./gup_flags.ts";
import { getUserPage, type GupDecision, referencesOf } from "./gup_slow.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import { GUP_PIN_COUNTING_BIAS } from "./page.ts";
import type { MmSystem } from "./mm_system.ts";
import type { Vma } from "./vma.ts";

export type { GupDecision } from "./gup_slow.ts";

/** Flags that the fast entry takes; all others are refused. */
const FAST_FLAGS = FOLL_WRITE | FOLL_LONGTERM | FOLL_FORCE | FOLL_PIN | FOLL_GET | FOLL_FAST_ONLY |
  FOLL_NOFAULT;

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
  if ((gupFlags & FOLL_PIN) !== 0) mm.hasPinned = true;
  system.trace.add(EV.gup_fast_call);
  const fast = gupFastResult();
  const walker = system.flavour.gupFast;
  system.trace.enter("lockless_pages_from_mm");
  try {
    walker.walk(mm, start, nrPages, gupFlags, fast);
  } finally {
    system.trace.leave("lockless_pages_from_mm");
  }
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
  const rest = slowly(mm, start + nrFast * PAGE_SIZE, nrPages - nrFast, gupFlags | FOLL_TOUCH, decisions);
  if (!rest.ok && nrFast === 0) return rest;
  if (rest.ok) { for (const page of rest.value) fast.pages.push(page); }
  return ok({ pages: fast.pages, nrFast, bail: fast.bail });
}

/**
 * Pages of the process itself without the fast walk; as many as can be had from the first on, an errno if none.
 *
 * @cite linux 6.1 mm/gup.c get_user_pages
 */
export function getUserPages(
  mm: MmStruct,
  start: number,
  nrPages: number,
  gupFlags: number,
  decisions?: GupDecision[],
): SysResult<readonly number[]> {
  return slowly(mm, start, nrPages, gupFlags | FOLL_TOUCH, decisions);
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
  return slowly(mm, start, nrPages, gupFlags | FOLL_TOUCH | FOLL_REMOTE, decisions);
}

/** The slow path, as a span. */
function slowly(
  mm: MmStruct,
  start: number,
  nrPages: number,
  gupFlags: number,
  decisions: GupDecision[] | undefined,
): SysResult<readonly number[]> {
  const { trace } = mm.system;
  trace.enter("get_user_pages");
  try {
    return getUserPagesLocked(mm, start, nrPages, gupFlags, decisions);
  } finally {
    trace.leave("get_user_pages");
  }
}

/** @cite linux 6.1 mm/gup.c __get_user_pages_locked */
function getUserPagesLocked(
  mm: MmStruct,
  start: number,
  nrPages: number,
  gupFlags: number,
  decisions: GupDecision[] | undefined,
): SysResult<readonly number[]> {
  mm.mmapLock();
  if ((gupFlags & FOLL_PIN) !== 0) mm.hasPinned = true;
  const pages: number[] = [];
  let vma: Vma | null = null;
  for (let i = 0; i < nrPages; i++) {
    const address = start + i * PAGE_SIZE;
    if (vma === null || address >= vma.end) vma = findVma(mm, address);
    const page = getUserPage(mm, vma, address, gupFlags, decisions);
    if (page.ok) pages.push(page.value);
    else if (pages.length === 0) return page;
    else break;
  }
  return ok(pages);
}

/** Gives the references back. @cite linux 6.1 mm/gup.c unpin_user_pages */
export function releaseUserPages(mm: MmStruct, pages: readonly number[], gupFlags: number): void {
  mm.system.memMap.putPages(pages, referencesOf(gupFlags));
}

/**
 * How many pins a page seems to have: references count as well, 1024 of them as one pin.
 *
 * @cite linux 6.1 include/linux/mm.h page_maybe_dma_pinned
 */
export function pinCount(system: MmSystem, page: number): number {
  return Math.floor(system.memMap.refcount[system.memMap.compoundHead(page)]! / GUP_PIN_COUNTING_BIAS);
}
