/**
 * The fast walker of x86 until about Linux 4.12. It tests the *raw* flags of an entry first, and only then converts
 * the frame to a pfn. A foreign entry that is not special passes the test, and the conversion answers whatever the
 * M2P says.
 *
 * @cite linux 3.19 arch/x86/mm/gup.c gup_pte_range
 * @module
 */

import { KernelBug } from "../../../core/crash.ts";
import { PAGE_SIZE, PMD_SIZE } from "../../../core/geometry.ts";
import { hex } from "../../../core/show.ts";
import { EV } from "../../../trace/events.ts";
import { _PAGE_PRESENT, _PAGE_RW, _PAGE_SPECIAL, _PAGE_USER } from "../../../x86/pte.ts";
import { FOLL_PIN, FOLL_WRITE } from "../gup_flags.ts";
import type { MmStruct } from "../mm_struct.ts";
import { GUP_PIN_COUNTING_BIAS } from "../page.ts";
import { lookupSlot, rawFlags, rawFrame } from "../pgtable.ts";
import type { GupFastResult, GupFastWalker } from "./walker.ts";

function walk(mm: MmStruct, start: number, nrPages: number, gupFlags: number, out: GupFastResult): void {
  const { system } = mm;
  const { memMap, pv, trace } = system;
  const mask = _PAGE_PRESENT | _PAGE_USER | ((gupFlags & FOLL_WRITE) !== 0 ? _PAGE_RW : 0);
  let slot = -1;
  for (let i = 0; i < nrPages; i++) {
    const address = start + i * PAGE_SIZE;
    if (slot < 0 || address % PMD_SIZE === 0) {
      slot = lookupSlot(mm, address);
      if (slot < 0) {
        out.bail = "no-table";
        out.detail = `no page table at ${hex(address)}`;
        return;
      }
    } else slot += 2;
    trace.add(EV.gup_fast_pte);
    const flags = rawFlags(system, slot);
    if ((flags & (mask | _PAGE_SPECIAL)) !== mask) {
      out.bail = "pte-flags";
      out.detail = (flags & _PAGE_SPECIAL) !== 0
        ? "raw flags have _PAGE_SPECIAL"
        : (flags & _PAGE_PRESENT) === 0
        ? "raw flags lack _PAGE_PRESENT"
        : "raw flags lack _PAGE_USER or _PAGE_RW";
      return;
    }
    const frame = rawFrame(system, slot);
    out.frame = frame;
    const page = pv.ptePfn(frame, flags);
    if (!memMap.pfnValid(page)) {
      throw new KernelBug(
        "gup_pte_range",
        "VM_BUG_ON(!pfn_valid(pte_pfn(pte)))",
        `the entry at ${hex(address)} holds frame ${hex(frame)}, pte_pfn makes pfn ${hex(page)} of it, ` +
          `and struct page ends at pfn ${hex(memMap.nrPages)}`,
      );
    }
    memMap.getPage(page, (gupFlags & FOLL_PIN) !== 0 ? GUP_PIN_COUNTING_BIAS : 1);
    out.pages.push(page);
  }
}

/** Linux 2.6.27 to about 4.12. */
export const x86GupFast2014: GupFastWalker = { name: "x86 gup_pte_range (raw flags first)", walk };
