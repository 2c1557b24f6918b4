/**
 * Linux's own walk of its page tables: finding and making the place of an entry. Four levels; leaves of 4 KiB, and of
 * 2 MiB or 1 GiB where an entry above has `_PAGE_PSE`. The tables are real bytes, the same that the processor walks.
 *
 * @cite linux 6.1 mm/memory.c __pte_alloc
 * @module
 */

import type { Maddr } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_PSE,
  _PAGE_RW,
  _PAGE_USER,
  flagsOf,
  frameOf,
} from "../../x86/pte.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { MmSystem } from "./mm_system.ts";
import type { PteSlot } from "./paravirt.ts";

/** Flags of an entry that points to a lower table of user space. @cite linux 6.1 arch/x86/include/asm/pgtable_types.h _PAGE_TABLE */
export const _PAGE_TABLE: number = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY;

/** Bytes that one entry of level 1 … 4 covers. */
export const SIZE_OF_LEVEL: readonly number[] = [0, 2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39];

/** Index of `address` in a table of this level. */
export function tableIndex(address: number, level: number): number {
  return Math.floor(address / SIZE_OF_LEVEL[level]!) & 511;
}

/** Raw packed flags of the entry at `slot`. */
export function rawFlags(system: MmSystem, slot: PteSlot): number {
  return flagsOf(system.mem.words[slot]!, system.mem.words[slot + 1]!);
}

/** Raw frame of the entry at `slot`. */
export function rawFrame(system: MmSystem, slot: PteSlot): number {
  return frameOf(system.mem.words[slot]!, system.mem.words[slot + 1]!);
}

/** Other flags for an entry that is taken out first, so that the processor cannot set a bit in between. */
export function storeAnew(system: MmSystem, slot: PteSlot, flags: number): void {
  const { pv } = system;
  const pfn = pv.ptePfn(rawFrame(system, slot), flags);
  pv.clearPte(slot);
  pv.setPte(slot, pfn, flags);
}

/** Machine address of the entry at `slot`: what a hypercall wants to know. */
export function maddrOfSlot(system: MmSystem, slot: PteSlot): Maddr {
  return system.mem.mfnOfSlot(Math.floor(slot / WORDS_PER_FRAME)) * PAGE_SIZE +
    slot % WORDS_PER_FRAME * 4 as Maddr;
}

/** True if the low word of a present entry above level 1 maps memory instead of a table. */
function isLeaf(word: number): boolean {
  return (word & _PAGE_PSE) !== 0;
}

/**
 * The place of the entry of `address` in the table of `level` (1 = PTE), or -1 where a table above is missing or a
 * large page is mapped instead. Reads the tables as they are; never allocates.
 */
export function lookupSlot(mm: MmStruct, address: number, level = 1): PteSlot {
  const { system } = mm;
  let base = system.mem.slotOf(mm.pgdFrame);
  for (let at = 4; base >= 0; at--) {
    const slot = base * WORDS_PER_FRAME + tableIndex(address, at) * 2;
    if (at === level) return slot;
    const word = system.mem.words[slot]!;
    if ((word & _PAGE_PRESENT) === 0 || isLeaf(word)) return -1;
    base = system.mem.slotOf(rawFrame(system, slot));
  }
  return -1;
}

/** The level (2 or 3) at which the address has a present large leaf, or 0. */
export function largeLeafLevel(mm: MmStruct, address: number): number {
  for (let level = 2; level <= 3; level++) {
    const slot = lookupSlot(mm, address, level);
    if (slot < 0) continue;
    const word = mm.system.mem.words[slot]!;
    return (word & _PAGE_PRESENT) !== 0 && isLeaf(word) ? level : 0;
  }
  return 0;
}

/** The place of the entry of `address` at `level`, making the tables above it; -1 when there is no page for a table. */
export function allocSlot(mm: MmStruct, address: number, level = 1): PteSlot {
  const { system } = mm;
  const { mem, pv } = system;
  let base = mem.makeSlot(mm.pgdFrame);
  for (let at = 4; at > level; at--) {
    const slot = base * WORDS_PER_FRAME + tableIndex(address, at) * 2;
    if ((mem.words[slot]! & _PAGE_PRESENT) === 0) {
      const table = allocTablePage(mm, at - 1);
      if (table < 0) return -1;
      pv.setTable(mm, slot, table, _PAGE_TABLE);
      mm.nrTables++;
    }
    base = mem.makeSlot(rawFrame(system, slot));
  }
  return base * WORDS_PER_FRAME + tableIndex(address, level) * 2;
}

/** A cleared page for a top table; `NO_PAGE` when there is none. @cite linux 6.1 arch/x86/mm/pgtable.c pgd_alloc */
export function allocPgd(system: MmSystem): number {
  const page = system.memMap.allocPage();
  if (page < 0) return page;
  system.trace.add(EV.table_alloc);
  system.trace.add(EV.page_clear);
  system.mem.clearFrame(system.pv.frameOfPage(page));
  system.mem.makeSlot(system.pv.frameOfPage(page));
  return page;
}

/** A cleared page told to the machine as a table of `level`, 1 … 3; `NO_PAGE` when there is none. */
export function allocTablePage(mm: MmStruct, level: number): number {
  const page = allocPgd(mm.system);
  if (page >= 0) mm.system.pv.allocTable(mm, page, level);
  return page;
}

/** Gives the page of a table back that the machine knows no longer. */
export function freeTablePage(system: MmSystem, page: number): void {
  system.trace.add(EV.table_free);
  system.mem.clearFrame(system.pv.frameOfPage(page));
  system.memMap.putPage(page);
}

/** Who is told of tables given back. */
export interface TableGather {
  readonly mm: MmStruct;
  add(start: number, end: number): void;
}

/**
 * Frees the tables that map nothing any more below `[floor, ceiling)`: what lies between the neighbours of an
 * unmapped range. A table is freed only if its whole span lies inside. The processors are owed a flush of the first
 * page of each; of a whole top entry even if there was no table below it, because Linux, with four levels on code
 * for five, does not look.
 *
 * @param gone the VMAs that were there
 * @cite linux 6.1 mm/memory.c free_pgd_range
 */
export function freePgtables(
  gather: TableGather,
  gone: readonly { readonly start: number; readonly end: number }[],
  floor: number,
  ceiling: number,
): void {
  const { mm } = gather;
  const span = SIZE_OF_LEVEL[4]!;
  for (const { start, end } of gone) {
    for (let at = start - start % span; at < end; at += span) {
      if (at >= floor && at + span <= ceiling) gather.add(at, at + PAGE_SIZE);
    }
  }
  freeBelow(gather, mm.system.mem.slotOf(mm.pgdFrame), 4, 0, floor, ceiling);
}

function freeBelow(
  gather: TableGather,
  base: number,
  level: number,
  at: number,
  floor: number,
  ceiling: number,
): void {
  if (base < 0) return;
  const { mm } = gather;
  const { system } = mm;
  const span = SIZE_OF_LEVEL[level]!;
  const first = Math.max(0, Math.floor((floor - at) / span));
  const last = Math.min(level === 4 ? 255 : 511, Math.ceil((ceiling - at) / span) - 1);
  for (let i = first; i <= last; i++) {
    const slot = base * WORDS_PER_FRAME + i * 2;
    const word = system.mem.words[slot]!;
    if ((word & _PAGE_PRESENT) === 0 || isLeaf(word)) continue;
    const child = at + i * span;
    const frame = rawFrame(system, slot);
    if (level > 2) freeBelow(gather, system.mem.slotOf(frame), level - 1, child, floor, ceiling);
    if (child < floor || child + span > ceiling) continue;
    const page = system.pv.ptePfn(frame, rawFlags(system, slot));
    system.pv.clearTable(mm, slot);
    system.pv.releaseTable(mm, page, level - 1);
    freeTablePage(system, page);
    gather.add(child, child + PAGE_SIZE);
    mm.nrTables--;
  }
}
