/**
 * Faults of mappings with operations: the owner supplies the page. A read may map pages around it at once, a private
 * write copies the page, a shared write maps it writable.
 *
 * @module
 */

import { PAGE_SHIFT, PAGE_SIZE, PTRS_PER_TABLE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_ACCESSED } from "../../x86/pte.ts";
import { addAnonRmap, anonVmaPrepare } from "./anon_vma.ts";
import type { FaultOutcome } from "./fault.ts";
import { ptePresent } from "./memory.ts";
import { maybeMkwrite, pageProtOf, pteMkdirty } from "./page_prot.ts";
import type { PteSlot } from "./paravirt.ts";
import { rawFlags } from "./pgtable.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import { VM_SHARED } from "./vm_flags.ts";
import { NO_PAGE } from "./vm_ops.ts";

/** Pages that a read fault maps at most. @cite linux 6.1 mm/memory.c fault_around_bytes */
export const FAULT_AROUND_PAGES = 16;

/** A page that is not there, in a mapping with operations. @cite linux 6.1 mm/memory.c do_fault */
export function doFault(vma: Vma, address: number, slot: PteSlot, write: boolean): FaultOutcome {
  if (vma.ops!.fault === undefined) return "SIGBUS";
  if (!write) return doReadFault(vma, address, slot);
  return (vma.flags & VM_SHARED) === 0
    ? doCowFault(vma, address, slot)
    : mapFaultedPage(vma, address, slot, true);
}

/** @cite linux 6.1 mm/memory.c do_read_fault */
function doReadFault(vma: Vma, address: number, slot: PteSlot): FaultOutcome {
  if (vma.ops!.mapPage !== undefined && doFaultAround(vma, address, slot)) return "ok";
  return mapFaultedPage(vma, address, slot, false);
}

/**
 * Maps what is ready around the address: from the aligned block's start or the VMA's, whichever is later, so many
 * pages, not beyond page table or VMA. True if the page wanted is among them.
 *
 * @cite linux 6.1 mm/memory.c do_fault_around
 */
function doFaultAround(vma: Vma, address: number, slot: PteSlot): boolean {
  const { system } = vma.mm;
  const block = FAULT_AROUND_PAGES * PAGE_SIZE;
  const start = Math.max(address - address % block, vma.start);
  const pagesToTableEnd = PTRS_PER_TABLE - Math.floor(start / PAGE_SIZE) % PTRS_PER_TABLE;
  const end = Math.min(start + Math.min(FAULT_AROUND_PAGES, pagesToTableEnd) * PAGE_SIZE, vma.end);
  let mapped = false;
  for (let at = start; at < end; at += PAGE_SIZE) {
    const place = slot + 2 * ((at - address) >> PAGE_SHIFT);
    if (ptePresent(rawFlags(system, place))) continue;
    const page = vma.ops!.mapPage!(vma, linearPageIndex(vma, at));
    if (page === NO_PAGE) continue;
    system.memMap.getPage(page);
    setFilePte(vma, place, page, false);
    if (at === address) mapped = true;
  }
  return mapped;
}

/** The owner's page itself. @cite linux 6.1 mm/memory.c finish_fault */
function mapFaultedPage(vma: Vma, address: number, slot: PteSlot, write: boolean): FaultOutcome {
  const answer = vma.ops!.fault!(vma, address, write);
  if (answer.kind === "mapped") return "ok";
  if (answer.kind !== "page") return answer.kind;
  setFilePte(vma, slot, answer.page, write);
  return "ok";
}

/** @cite linux 6.1 mm/memory.c do_set_pte */
function setFilePte(vma: Vma, slot: PteSlot, page: number, write: boolean): void {
  const { system } = vma.mm;
  let flags = pageProtOf(vma) | _PAGE_ACCESSED;
  if (write) flags = maybeMkwrite(pteMkdirty(flags), vma);
  system.memMap.addRmap(page);
  system.pv.setPte(slot, page, flags);
}

/** A private write to a page that was never read: a copy at once. @cite linux 6.1 mm/memory.c do_cow_fault */
function doCowFault(vma: Vma, address: number, slot: PteSlot): FaultOutcome {
  const { system } = vma.mm;
  const { memMap, mem } = system;
  anonVmaPrepare(vma);
  const copy = memMap.allocPage();
  if (copy === NO_PAGE) return "OOM";
  const answer = vma.ops!.fault!(vma, address, true);
  if (answer.kind !== "page") {
    memMap.putPage(copy);
    return answer.kind === "mapped" ? "ok" : answer.kind;
  }
  system.trace.add(EV.page_copy);
  mem.copyFrame(system.frameOf(copy), system.frameOf(answer.page));
  memMap.putPage(answer.page);
  addAnonRmap(vma, copy);
  system.pv.setPte(slot, copy, maybeMkwrite(pteMkdirty(pageProtOf(vma) | _PAGE_ACCESSED), vma));
  return "ok";
}
