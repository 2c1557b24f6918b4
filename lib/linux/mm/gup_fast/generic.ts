/**
 * The generic fast walker (x86 uses it since 2017). It asks `pte_access_permitted(pte_val)`, and `pte_val` is
 * converted: an entry whose frame has no pfn here reads as not present and ends the walk before SPECIAL is looked at.
 *
 * @cite linux 6.1 mm/gup.c gup_pte_range
 * @module
 */

import { PAGE_SIZE, PMD_SIZE, PUD_SIZE } from "../../../core/geometry.ts";
import { hex } from "../../../core/show.ts";
import { EV } from "../../../trace/events.ts";
import {
  _PAGE_DEVMAP,
  _PAGE_PKEY_MASK,
  _PAGE_PRESENT,
  _PAGE_PROTNONE,
  _PAGE_RW,
  _PAGE_SPECIAL,
  _PAGE_USER,
  frameOf,
  pkeyOf,
} from "../../../x86/pte.ts";
import { FOLL_FORCE, FOLL_LONGTERM, FOLL_PIN, FOLL_WRITE } from "../gup_flags.ts";
import type { MmStruct } from "../mm_struct.ts";
import {
  GUP_PIN_COUNTING_BIAS,
  PG_anon,
  PG_anon_exclusive,
  PG_dirty_tracked,
  PG_movable,
  PG_secretmem,
  PG_truncated,
} from "../page.ts";
import { hugeSlot } from "../hugetlb_fault.ts";
import { hasPkeys } from "../pkeys.ts";
import { largeLeafLevel, lookupSlot, rawFlags, rawFrame } from "../pgtable.ts";
import type { GupFastBail, GupFastResult, GupFastWalker } from "./walker.ts";

/** @cite linux 6.1 mm/gup.c lockless_pages_from_mm */
function walk(mm: MmStruct, start: number, nrPages: number, gupFlags: number, out: GupFastResult): void {
  const isPin = (gupFlags & FOLL_PIN) !== 0;
  const seq = mm.writeProtectSeq;
  if (isPin && (seq & 1) !== 0) {
    out.bail = "fork-running";
    out.detail = "write_protect_seq is odd: a fork is taking write access away";
    return;
  }
  walkTables(mm, start, nrPages, gupFlags, out);
  mm.system.gupRace?.("walked", start);
  if (!isPin || mm.writeProtectSeq === seq) return;
  for (const page of out.pages) mm.system.memMap.putPage(page, GUP_PIN_COUNTING_BIAS);
  out.pages.length = 0;
  out.bail = "fork-meanwhile";
  out.detail = "write_protect_seq has changed: a fork ran, so all pins are given back";
}

/** @cite linux 6.1 mm/gup.c gup_pgd_range */
function walkTables(
  mm: MmStruct,
  start: number,
  nrPages: number,
  gupFlags: number,
  out: GupFastResult,
): void {
  let slot = -1;
  /** First address that needs a look at the tables above again. */
  let tableEnd = start;
  /** Bytes that the entry at `slot` maps. */
  let span = PAGE_SIZE;
  for (let i = 0; i < nrPages;) {
    const address = start + i * PAGE_SIZE;
    if (address >= tableEnd) {
      slot = lookupSlot(mm, address);
      span = PAGE_SIZE;
      if (slot < 0) {
        span = leafSpan(mm, address);
        if (span > 0) slot = lookupSlot(mm, address, span === PMD_SIZE ? 2 : 3);
      }
      if (slot < 0) {
        out.bail = "no-table";
        out.detail = `no page table at ${hex(address)}`;
        return;
      }
      const covers = Math.max(span, PMD_SIZE);
      tableEnd = address - address % covers + covers;
    }
    const left = span === PAGE_SIZE ? Math.min(nrPages - i, (tableEnd - address) / PAGE_SIZE) : 0;
    const taken = takePlainEntries(mm, slot, left, gupFlags, out);
    if (taken > 0) {
      i += taken;
      slot += 2 * taken;
      continue;
    }
    const bail = takeEntry(mm, slot, address % span / PAGE_SIZE, gupFlags, out);
    if (bail !== null) {
      out.bail = bail;
      if (span > PAGE_SIZE) out.detail = `${span === PMD_SIZE ? "pmd" : "pud"} leaf: ${out.detail}`;
      return;
    }
    i++;
    if (span === PAGE_SIZE) slot += 2;
  }
}

/** Bytes of the large page mapped there (PROT_NONE counts), or 0. */
function leafSpan(mm: MmStruct, address: number): number {
  if (hugeSlot(mm, address) >= 0) return PMD_SIZE;
  return largeLeafLevel(mm, address) === 3 ? PUD_SIZE : 0;
}

/** What an entry must not have in its high word if nothing more is to be asked: a device's map, a protection key. */
const NOT_PLAIN_HIGH = (_PAGE_DEVMAP | _PAGE_PKEY_MASK) >>> 12 << 20;

/**
 * Takes entries of one table, up to `count`, as long as each is plain: what {@linkcode takeEntry} would take without a
 * second thought. Answers how many. A loop over columns, because a transfer of 2 GiB has half a million of them; where
 * somebody watches, overtakes, or frames are not pfns, it leaves all of them to `takeEntry`.
 */
function takePlainEntries(
  mm: MmStruct,
  first: number,
  count: number,
  gupFlags: number,
  out: GupFastResult,
): number {
  const { memMap, pv, trace, mem, gupRace } = mm.system;
  if (!pv.framesArePfns || gupRace !== null || trace.sink !== null) return 0;
  const { words } = mem;
  const { refcount, flags } = memMap;
  const end = Math.min(memMap.nrPages, memMap.firstHugePage);
  const { pages } = out;
  const write = (gupFlags & FOLL_WRITE) !== 0;
  const needed = _PAGE_PRESENT | _PAGE_USER | (write ? _PAGE_RW : 0);
  const unshares = (gupFlags & (FOLL_PIN | FOLL_WRITE)) === FOLL_PIN;
  const references = (gupFlags & FOLL_PIN) !== 0 ? GUP_PIN_COUNTING_BIAS : 1;
  let taken = 0;
  for (let slot = first; taken < count; slot += 2) {
    const lo = words[slot]!;
    const hi = words[slot + 1]!;
    if ((lo & (needed | _PAGE_SPECIAL)) !== needed || (hi & NOT_PLAIN_HIGH) !== 0) break;
    const page = frameOf(lo, hi);
    if (page >= end) break;
    const pageFlags = flags[page]!;
    if (refcount[page]! <= 0 || (pageFlags & UNUSUAL) !== 0) break;
    if (unshares && (lo & _PAGE_RW) === 0 && mustUnshare(pageFlags, gupFlags)) break;
    refcount[page]! += references;
    pages.push(page);
    taken++;
  }
  if (taken === 0) return 0;
  trace.add(EV.gup_fast_pte, taken);
  trace.add(EV.refcount, taken);
  out.frame = pages[pages.length - 1]!;
  return taken;
}

/** One entry, of whatever level: null and one more page, or the reason to stop. @cite linux 6.1 mm/gup.c gup_huge_pmd */
function takeEntry(
  mm: MmStruct,
  slot: number,
  index: number,
  gupFlags: number,
  out: GupFastResult,
): GupFastBail | null {
  const { system } = mm;
  const { memMap, pv, trace, mem } = system;
  trace.add(EV.gup_fast_pte);
  const flags = rawFlags(system, slot);
  const frame = rawFrame(system, slot);
  const lo = mem.words[slot]!;
  const hi = mem.words[slot + 1]!;
  out.frame = frame;
  if (system.gupRace !== null) system.gupRace("entry read", slot);
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
  if (pkeyOf(flags) !== 0 && !pkruAllowsPkey(mm, pkeyOf(flags), (gupFlags & FOLL_WRITE) !== 0)) {
    out.detail = `PKRU forbids the entry's protection key ${pkeyOf(flags)}`;
    return "pte-not-permitted";
  }
  if ((flags & (_PAGE_SPECIAL | _PAGE_DEVMAP)) !== 0) {
    if ((flags & _PAGE_DEVMAP) !== 0) {
      out.detail = "_PAGE_DEVMAP: no map of the device";
      return "pte-devmap";
    }
    out.detail = "_PAGE_SPECIAL, while pte_val is present";
    return "pte-special";
  }
  const page = pv.ptePfn(frame, flags) + index;
  const head = memMap.compoundHead(page);
  if (!memMap.pfnValid(page) || memMap.refcount[head]! <= 0) {
    out.detail = `try_grab_folio fails on pfn ${hex(page)}`;
    return "page-grab-failed";
  }
  const pageFlags = memMap.flags[head]!;
  if ((pageFlags & UNUSUAL) !== 0) {
    const bail = unusualPage(mm, pageFlags, gupFlags, out);
    if (bail !== null) return bail;
  }
  if (mem.words[slot] !== lo || mem.words[slot + 1] !== hi) {
    out.detail = `the entry has changed meanwhile: pfn ${hex(page)} is given back`;
    return "pte-changed";
  }
  if ((flags & _PAGE_RW) === 0 && mustUnshare(pageFlags, gupFlags)) {
    out.detail = `gup_must_unshare: pfn ${hex(page)} is shared copy-on-write`;
    return "must-unshare";
  }
  memMap.getPage(page, (gupFlags & FOLL_PIN) !== 0 ? GUP_PIN_COUNTING_BIAS : 1);
  out.pages.push(page);
  return null;
}

const UNUSUAL = PG_movable | PG_secretmem | PG_truncated | PG_dirty_tracked;

/** Pages that not everybody may have. @cite linux 6.12 mm/gup.c gup_fast_folio_allowed */
function unusualPage(
  mm: MmStruct,
  pageFlags: number,
  gupFlags: number,
  out: GupFastResult,
): GupFastBail | null {
  if ((gupFlags & FOLL_LONGTERM) !== 0 && (pageFlags & PG_movable) !== 0) {
    out.detail = "try_grab_folio: a long-term pin would keep the page from being moved";
    return "page-grab-failed";
  }
  if ((pageFlags & PG_secretmem) !== 0) {
    out.detail = "page_is_secretmem: the kernel has no access to it";
    return "page-secretmem";
  }
  const longtermWrite = FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE;
  if (mm.system.flavour.gupFilePins === "any file" || (gupFlags & longtermWrite) !== longtermWrite) {
    return null;
  }
  if ((pageFlags & PG_truncated) !== 0) {
    out.detail = "gup_fast_folio_allowed: page->mapping is NULL, the file has given the page up";
    return "page-truncated";
  }
  if ((pageFlags & PG_dirty_tracked) === 0) return null;
  out.detail = "gup_fast_folio_allowed: the file system must hear of writes";
  return "file-longterm";
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
