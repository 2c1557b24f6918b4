/**
 * A write to a page that is mapped read-only: made writable if the page is shared on purpose or belongs to this
 * process alone, else replaced by a copy.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_ACCESSED, _PAGE_RW } from "../../x86/pte.ts";
import { addAnonRmap, anonVmaPrepare } from "./anon_vma.ts";
import type { FaultOutcome } from "./fault.ts";
import { vmNormalPage } from "./memory.ts";
import { invalidateRangeStart } from "./mmu_notifier.ts";
import { PG_anon, PG_anon_exclusive } from "./page.ts";
import { maybeMkwrite, pageProtOf, pteMkdirty } from "./page_prot.ts";
import type { PteSlot } from "./paravirt.ts";
import { rawFlags, rawFrame } from "./pgtable.ts";
import type { Vma } from "./vma.ts";
import { VM_SHARED } from "./vm_flags.ts";
import { NO_PAGE } from "./vm_ops.ts";

/** @cite linux 6.1 mm/memory.c do_wp_page */
export function doWpPage(vma: Vma, address: number, slot: PteSlot, unshare: boolean): FaultOutcome {
  const { system } = vma.mm;
  const { memMap } = system;
  const flags = rawFlags(system, slot);
  const page = vmNormalPage(vma, address, rawFrame(system, slot), flags);
  if ((vma.flags & VM_SHARED) !== 0) return unshare ? "ok" : reuse(vma, slot, flags);
  if (page !== NO_PAGE && (memMap.flags[page]! & PG_anon) !== 0) {
    const isExclusive = (memMap.flags[page]! & PG_anon_exclusive) !== 0;
    // The only reference is that of this entry: nobody else can look.
    if (isExclusive || memMap.refcount[page] === 1) {
      memMap.flags[page]! |= PG_anon_exclusive;
      return unshare ? "ok" : reuse(vma, slot, flags);
    }
  } else if (unshare) return "ok";
  return wpPageCopy(vma, address, slot, page, unshare);
}

/** @cite linux 6.1 mm/memory.c wp_page_reuse */
function reuse(vma: Vma, slot: PteSlot, flags: number): FaultOutcome {
  // No flush: a processor that still holds the entry read-only faults once more and looks again.
  vma.mm.system.pv.setPteFlags(slot, maybeMkwrite(pteMkdirty(flags | _PAGE_ACCESSED), vma));
  return "ok";
}

/** @cite linux 6.1 mm/memory.c wp_page_copy */
function wpPageCopy(vma: Vma, address: number, slot: PteSlot, old: number, unshare: boolean): FaultOutcome {
  const { mm } = vma;
  const { system } = mm;
  const { memMap, mem, pv } = system;
  anonVmaPrepare(vma);
  const copy = memMap.allocPage();
  if (copy === NO_PAGE) return "OOM";
  const frame = rawFrame(system, slot);
  if (old === NO_PAGE && pv.ptePfn(frame, rawFlags(system, slot)) === system.zeroPage) {
    system.trace.add(EV.page_clear);
    mem.clearFrame(system.frameOf(copy));
  } else {
    system.trace.add(EV.page_copy);
    mem.copyFrame(system.frameOf(copy), pv.machineFrame(frame));
  }
  invalidateRangeStart(mm, address, address + PAGE_SIZE, "MMU_NOTIFY_CLEAR");
  let flags = pageProtOf(vma) | _PAGE_ACCESSED;
  if (unshare) flags &= ~_PAGE_RW;
  else flags = maybeMkwrite(pteMkdirty(flags), vma);
  pv.clearPte(slot);
  pv.flushTlbRange(mm, address, address + PAGE_SIZE);
  addAnonRmap(vma, copy);
  pv.setPte(slot, copy, flags);
  if (old !== NO_PAGE) {
    memMap.removeRmap(old);
    memMap.putPage(old);
  }
  return "ok";
}
