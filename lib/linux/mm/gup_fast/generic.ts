/**
 * The generic fast walker (x86 uses it since 2017). It asks `pte_access_permitted(pte_val)`, and `pte_val` is
 * converted: an entry whose frame has no pfn here reads as not present and ends the walk before SPECIAL is looked at.
 *
 * @cite linux 6.1 mm/gup.c gup_pte_range
 * @module
 */

import { PAGE_SIZE, PMD_SIZE } from "../../../core/geometry.ts";
import { hex } from "../../../core/show.ts";
import { EV } from "../../../trace/events.ts";
import {
  _PAGE_PRESENT,
  _PAGE_PROTNONE,
  _PAGE_RW,
  _PAGE_SPECIAL,
  _PAGE_USER,
  pkeyOf,
} from "../../../x86/pte.ts";
import { FOLL_FORCE, FOLL_PIN, FOLL_WRITE } from "../gup_flags.ts";
import type { MmStruct } from "../mm_struct.ts";
import { GUP_PIN_COUNTING_BIAS, PG_anon, PG_anon_exclusive } from "../page.ts";
import { hasPkeys } from "../pkeys.ts";
import { lookupSlot, rawFlags, rawFrame } from "../pgtable.ts";
import type { GupFastBail, GupFastResult, GupFastWalker } from "./walker.ts";

function walk(mm: MmStruct, start: number, nrPages: number, gupFlags: number, out: GupFastResult): void {
  let slot = -1;
  for (let i = 0; i < nrPages; i++) {
    const address = start + i * PAGE_SIZE;
    slot = slot < 0 || address % PMD_SIZE === 0 ? lookupSlot(mm, address) : slot + 2;
    if (slot < 0) {
      out.bail = "no-table";
      out.detail = `no page table at ${hex(address)}`;
      return;
    }
    const bail = takePte(mm, slot, gupFlags, out);
    if (bail !== null) {
      out.bail = bail;
      return;
    }
  }
}

/** One entry: null and one more page, or the reason to stop. */
function takePte(mm: MmStruct, slot: number, gupFlags: number, out: GupFastResult): GupFastBail | null {
  const { memMap, pv, trace } = mm.system;
  trace.add(EV.gup_fast_pte);
  const flags = rawFlags(mm.system, slot);
  const frame = rawFrame(mm.system, slot);
  out.frame = frame;
  if ((flags & (_PAGE_PRESENT | _PAGE_PROTNONE)) === _PAGE_PROTNONE && (gupFlags & FOLL_FORCE) === 0) {
    out.detail = "PROT_NONE or NUMA-hint entry";
    return "pte-protnone";
  }
  const needed = _PAGE_PRESENT | _PAGE_USER | ((gupFlags & FOLL_WRITE) !== 0 ? _PAGE_RW : 0);
  const converted = pv.pteValFlags(frame, flags);
  if ((converted & needed) !== needed) {
    out.detail = (flags & _PAGE_PRESENT) === 0
      ? "entry is not present"
      : (converted & _PAGE_PRESENT) === 0
      ? `pte_val clears PRESENT: frame ${hex(frame)} has no pfn in this domain`
      : "entry lacks _PAGE_USER or _PAGE_RW";
    return "pte-not-permitted";
  }
  if (!pkruAllowsPkey(mm, pkeyOf(flags), (gupFlags & FOLL_WRITE) !== 0)) {
    out.detail = `PKRU forbids the entry's protection key ${pkeyOf(flags)}`;
    return "pte-not-permitted";
  }
  if ((flags & _PAGE_SPECIAL) !== 0) {
    out.detail = `_PAGE_SPECIAL (pte_val is present: pfn ${hex(pv.ptePfn(frame, flags))})`;
    return "pte-special";
  }
  const page = pv.ptePfn(frame, flags);
  if (!memMap.pfnValid(page) || memMap.refcount[page]! <= 0) {
    out.detail = `try_grab_folio fails on pfn ${hex(page)}`;
    return "page-grab-failed";
  }
  if ((flags & _PAGE_RW) === 0 && mustUnshare(memMap.flags[page]!, gupFlags)) {
    out.detail = `gup_must_unshare: pfn ${hex(page)} is shared copy-on-write`;
    return "must-unshare";
  }
  memMap.getPage(page, (gupFlags & FOLL_PIN) !== 0 ? GUP_PIN_COUNTING_BIAS : 1);
  out.pages.push(page);
  return null;
}

/** @cite linux 6.1 arch/x86/include/asm/pgtable.h __pkru_allows_pkey */
function pkruAllowsPkey(mm: MmStruct, pkey: number, write: boolean): boolean {
  if (pkey === 0 || !hasPkeys(mm)) return true;
  const rights = mm.pkru >>> 2 * pkey & 3;
  return (rights & 1) === 0 && (!write || (rights & 2) === 0);
}

/**
 * A read-only pin of an anonymous page that another process may share would miss its later copy.
 *
 * @cite linux 6.1 include/linux/mm.h gup_must_unshare
 */
export function mustUnshare(pageFlags: number, gupFlags: number): boolean {
  return (gupFlags & (FOLL_PIN | FOLL_WRITE)) === FOLL_PIN &&
    (pageFlags & (PG_anon | PG_anon_exclusive)) === PG_anon;
}

/** Linux 4.13 on. */
export const gupFastGeneric: GupFastWalker = { name: "generic gup_pte_range (converted value first)", walk };
