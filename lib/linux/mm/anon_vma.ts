/**
 * `anon_vma`: what the anonymous pages of neighbouring VMAs have in common, so that their VMAs may join. A VMA gets
 * one at its first write to anonymous memory; which one decides later merges.
 *
 * Left out: the interval tree of the reverse map, and the parents that a fork adds to it.
 *
 * @cite linux 6.1 include/linux/rmap.h anon_vma
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { PG_anon, PG_anon_exclusive } from "./page.ts";
import type { Vma } from "./vma.ts";
import { VM_ACCESS_FLAGS, VM_SOFTDIRTY } from "./vm_flags.ts";

/** An anon_vma has identity and nothing else here. */
export class AnonVma extends Shown {
  /** @param birthPlace start of the VMA that needed it first, for listings */
  constructor(readonly birthPlace: number) {
    super();
  }

  override [viewOf](): View {
    return { line: "anon_vma" };
  }
}

/**
 * Gives the VMA an anon_vma if it has none: that of a neighbour if the two could be one VMA but for access rights,
 * else a new one.
 *
 * @cite linux 6.1 mm/rmap.c __anon_vma_prepare
 */
export function anonVmaPrepare(vma: Vma): void {
  if (vma.anonVma !== null) return;
  const anonVma = findMergeableAnonVma(vma) ?? new AnonVma(vma.start);
  vma.anonVma = anonVma;
  vma.anonVmaChain = [anonVma];
  vma.mm.system.trace.add(EV.anon_vma_link);
}

/** The next VMA is asked first. @cite linux 6.1 mm/mmap.c find_mergeable_anon_vma */
function findMergeableAnonVma(vma: Vma): AnonVma | null {
  const { vmas } = vma.mm;
  const next = vmas.next(vma);
  if (next !== null) {
    const reusable = reusableAnonVma(next, vma, next);
    if (reusable !== null) return reusable;
  }
  const prev = vmas.prev(vma);
  return prev === null ? null : reusableAnonVma(prev, prev, vma);
}

/** @cite linux 6.1 mm/mmap.c reusable_anon_vma */
function reusableAnonVma(old: Vma, low: Vma, high: Vma): AnonVma | null {
  if (!anonVmaCompatible(low, high)) return null;
  return old.anonVma !== null && old.anonVmaChain.length === 1 ? old.anonVma : null;
}

/** Could the two be one VMA after an mprotect? @cite linux 6.1 mm/mmap.c anon_vma_compatible */
function anonVmaCompatible(low: Vma, high: Vma): boolean {
  return low.end === high.start && low.file === high.file && low.pkey === high.pkey &&
    ((low.flags ^ high.flags) & ~(VM_ACCESS_FLAGS | VM_SOFTDIRTY)) === 0 &&
    high.pgoff === low.pgoff + (high.start - low.start) / PAGE_SIZE;
}

/** `to` takes over everything that `from` may hold pages of. @cite linux 6.1 mm/rmap.c anon_vma_clone */
export function anonVmaClone(to: Vma, from: Vma): void {
  to.anonVma = from.anonVma;
  to.anonVmaChain = from.anonVmaChain;
}

/** A new page of this process alone gets its first mapping. @cite linux 6.1 mm/rmap.c page_add_new_anon_rmap */
export function addAnonRmap(vma: Vma, page: number): void {
  const { memMap, lru } = vma.mm.system;
  memMap.flags[page]! |= PG_anon | PG_anon_exclusive;
  memMap.addRmap(page);
  lru.add(page);
}
