/**
 * Making a page present, or writable: what `handle_mm_fault` does once the VMA has agreed to the access. Here: the
 * choice of the case, and anonymous memory. Mappings with operations are in `fault_file.ts`, copy-on-write in
 * `fault_wp.ts`.
 *
 * Left out: transparent huge pages, swap, NUMA hints, userfaultfd, unlocking of mmap_lock on the way.
 *
 * @module
 */

import { EV } from "../../trace/events.ts";
import { _PAGE_ACCESSED, _PAGE_RW, _PAGE_SPECIAL } from "../../x86/pte.ts";
import { addAnonRmap, anonVmaPrepare } from "./anon_vma.ts";
import { doFault } from "./fault_file.ts";
import { doWpPage } from "./fault_wp.ts";
import { hugetlbFault } from "./hugetlb_fault.ts";
import { ptePresent } from "./memory.ts";
import { maybeMkwrite, pageProtOf, pteMkdirty } from "./page_prot.ts";
import type { PteSlot } from "./paravirt.ts";
import { allocSlot, rawFlags } from "./pgtable.ts";
import { pageOf, type Vma } from "./vma.ts";
import { VM_HUGETLB, VM_SHARED, VM_WRITE } from "./vm_flags.ts";
import { NO_PAGE } from "./vm_ops.ts";

/** How a fault ended: with the entry in place, or with what the process gets. */
export type FaultOutcome = "ok" | "SIGBUS" | "SIGSEGV" | "OOM";

/**
 * Serves a fault at `address` (any byte of the page) of a VMA whose rights have been checked.
 *
 * @param write the access is a write
 * @param unshare instead of a write: a shared anonymous page shall be replaced by a copy of one's own, read-only
 * @cite linux 6.1 mm/memory.c handle_mm_fault
 */
export function handleMmFault(vma: Vma, address: number, write: boolean, unshare = false): FaultOutcome {
  const { mm } = vma;
  const { system } = mm;
  if ((vma.flags & VM_HUGETLB) !== 0) return hugetlbFault(vma, address, write, unshare);
  const page = pageOf(address);
  const slot = allocSlot(mm, page);
  if (slot < 0) return "OOM";
  system.trace.add(EV.pt_lock);
  system.trace.add(EV.pte_read);
  const flags = rawFlags(system, slot);
  if (!ptePresent(flags)) {
    return vma.ops === null ? doAnonymousPage(vma, slot, write) : doFault(vma, page, slot, write);
  }
  if ((write || unshare) && (flags & _PAGE_RW) === 0) return doWpPage(vma, page, slot, unshare);
  const young = write ? pteMkdirty(flags | _PAGE_ACCESSED) : flags | _PAGE_ACCESSED;
  // No flush: the processor has dropped the entry it faulted on.
  if (young !== flags) system.pv.setPteFlags(slot, young);
  return "ok";
}

/** @cite linux 6.1 mm/memory.c do_anonymous_page */
function doAnonymousPage(vma: Vma, slot: PteSlot, write: boolean): FaultOutcome {
  const { system } = vma.mm;
  const { memMap, mem } = system;
  if ((vma.flags & VM_SHARED) !== 0) return "SIGBUS";
  if (!write) {
    system.pv.setPte(slot, system.zeroPage, pageProtOf(vma) | _PAGE_SPECIAL);
    return "ok";
  }
  anonVmaPrepare(vma);
  const page = memMap.allocPage();
  if (page === NO_PAGE) return "OOM";
  system.trace.add(EV.page_clear);
  mem.clearFrame(system.frameOf(page));
  let flags = pageProtOf(vma) | _PAGE_ACCESSED;
  if ((vma.flags & VM_WRITE) !== 0) flags = maybeMkwrite(pteMkdirty(flags), vma);
  addAnonRmap(vma, page);
  system.pv.setPte(slot, page, flags);
  return "ok";
}
