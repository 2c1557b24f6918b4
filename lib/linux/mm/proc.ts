/**
 * What `/proc/PID/maps`, `smaps` and `pagemap` say about an address space.
 *
 * @module
 */

import { withinBudget } from "../../core/budget.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { hugeSlot } from "./hugetlb_fault.ts";
import { ptePresent, vmNormalPage } from "./memory.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { MmSystem } from "./mm_system.ts";
import { PG_anon } from "./page.ts";
import { lookupSlot, rawFlags, rawFrame } from "./pgtable.ts";
import type { Vma } from "./vma.ts";
import { VM_HUGETLB } from "./vm_flags.ts";
import { NO_PAGE } from "./vm_ops.ts";

/**
 * Letters of the VmFlags line by bit; `??` where Linux has none. Those of VM_LOCKONFAULT are the flavour's.
 *
 * @cite linux 6.1 fs/proc/task_mmu.c show_smap_vma_flags
 */
const VM_FLAG_LETTERS: readonly string[] = [
  "rd wr ex sh mr mw me ms",
  "gd um pf ?? uw lo io sr",
  "rr dc de lf ac nr ht sf",
  "ar wf dd sd mm hg nh mg",
].join(" ").split(" ");

/** Letters of VM_LOCKONFAULT in the table. */
const LOCKONFAULT = "lf";

/** State of one page: see {@linkcode pageLetter}. */
export type PageLetter = "." | "z" | "A" | "a" | "F" | "f" | "s";

/** One VMA as the listings show it. Positions in bytes. */
export interface SmapsRow {
  readonly start: number;
  readonly end: number;
  readonly perms: string;
  /** Offset in the file in pages; 0 for private anonymous memory. */
  readonly offset: number;
  /** File name, `shmem`, or `anon`. */
  readonly name: string;
  /** Letters of the VmFlags line. */
  readonly vmFlags: string;
  /** Resident pages. */
  readonly rss: number;
  /** One letter a page. */
  readonly pages: string;
}

/** The letters of the VmFlags line, in its order. */
export function vmFlagsLetters(vma: Vma): string {
  const { lockOnFaultLetters } = vma.mm.system.flavour;
  return VM_FLAG_LETTERS.filter((_, bit) => (vma.flags >>> bit & 1) !== 0)
    .map((letters) => letters === LOCKONFAULT ? lockOnFaultLetters : letters).join(" ");
}

/**
 * What pagemap says of one page: `.` absent, `z` the page of zeros, `A`/`a` anonymous, `F`/`f` file or shared
 * memory; capitals if exactly one entry maps it, `s` any other entry that is not empty.
 *
 * @cite linux 6.1 fs/proc/task_mmu.c pte_to_pagemap_entry
 */
export function pageLetter(vma: Vma, address: number): PageLetter {
  const { system } = vma.mm;
  if ((vma.flags & VM_HUGETLB) !== 0) return hugePageLetter(vma, address);
  const slot = lookupSlot(vma.mm, address);
  if (slot < 0) return ".";
  const flags = rawFlags(system, slot);
  if (!ptePresent(flags)) return flags === 0 ? "." : "s";
  const page = vmNormalPage(vma, address, rawFrame(system, slot), flags);
  if (page === NO_PAGE) {
    return system.pv.ptePfn(rawFrame(system, slot), flags) === system.zeroPage ? "z" : "a";
  }
  return letterOf(system, page);
}

function letterOf({ memMap }: MmSystem, page: number): PageLetter {
  const once = memMap.pageMapcount(page) === 1;
  const isAnon = (memMap.flags[page]! & PG_anon) !== 0;
  return isAnon ? (once ? "A" : "a") : once ? "F" : "f";
}

/** @cite linux 6.1 fs/proc/task_mmu.c pagemap_hugetlb_range */
function hugePageLetter(vma: Vma, address: number): PageLetter {
  const { system } = vma.mm;
  const slot = hugeSlot(vma.mm, address);
  return slot < 0 ? "." : letterOf(system, system.pv.ptePfn(rawFrame(system, slot), rawFlags(system, slot)));
}

/**
 * One VMA of `/proc/PID/smaps`.
 *
 * @throws {RangeError} if the VMA has more pages than the budget `pagesPerCall`
 */
export function smapsRow(vma: Vma): SmapsRow {
  withinBudget("list a VMA of pages", vma.nrPages, "pagesPerCall");
  let pages = "";
  for (let address = vma.start; address < vma.end; address += PAGE_SIZE) pages += pageLetter(vma, address);
  return {
    start: vma.start,
    end: vma.end,
    perms: vma.permissions,
    offset: vma.file === null ? 0 : vma.pgoff,
    name: vma.file?.name ?? (vma.ops === null ? "anon" : vma.ops.name),
    vmFlags: vmFlagsLetters(vma),
    // Huge pages have counters of their own.
    rss: (vma.flags & VM_HUGETLB) !== 0 ? 0 : pages.replaceAll(/[.zs]/g, "").length,
    pages,
  };
}

/**
 * The VMAs that overlap `[start, end)`, in order.
 *
 * @cite linux 6.1 fs/proc/task_mmu.c show_smap
 */
export function smaps(mm: MmStruct, start = 0, end = 2 ** 47): SmapsRow[] {
  const rows: SmapsRow[] = [];
  for (let vma = mm.vmas.find(start); vma !== null && vma.start < end; vma = mm.vmas.next(vma)) {
    rows.push(smapsRow(vma));
  }
  return rows;
}

/** `/proc/PID/maps`, one VMA a line. @cite linux 6.1 fs/proc/task_mmu.c show_map_vma */
export function procMaps(mm: MmStruct): string {
  const lines: string[] = [];
  for (const vma of mm.vmas) {
    const offset = vma.file === null ? 0 : vma.pgoff * PAGE_SIZE;
    const range = `${hex(vma.start).slice(2).padStart(8, "0")}-${hex(vma.end).slice(2).padStart(8, "0")}`;
    const name = vma.file?.name ?? "";
    lines.push(`${range} ${vma.permissions} ${offset.toString(16).padStart(8, "0")} ${name}`.trimEnd());
  }
  return lines.join("\n");
}
