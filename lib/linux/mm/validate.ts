/**
 * What must hold of an address space and of the pages of a kernel between two calls. Answers violations; an empty
 * list is a clean bill.
 *
 * @module
 */

import { PAGE_SIZE, PTRS_PER_TABLE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import { _PAGE_PRESENT, _PAGE_PSE, _PAGE_SPECIAL } from "../../x86/pte.ts";
import { ptePresent } from "./memory.ts";
import { type MmStruct, TASK_SIZE_MAX } from "./mm_struct.ts";
import type { MmSystem } from "./mm_system.ts";
import { rawFlags, rawFrame, SIZE_OF_LEVEL } from "./pgtable.ts";
import type { Vma } from "./vma.ts";

/** Violations in one address space: VMAs in order, disjoint, aligned; present entries inside VMAs; tables counted. */
export function validateMm(mm: MmStruct): string[] {
  const found: string[] = [];
  let before: Vma | null = null;
  let n = 0;
  for (const vma of mm.vmas) {
    n++;
    if (vma.start >= vma.end) found.push(`${vma} is empty`);
    if (vma.start % PAGE_SIZE !== 0 || vma.end % PAGE_SIZE !== 0) found.push(`${vma} is not page aligned`);
    if (vma.end > TASK_SIZE_MAX) found.push(`${vma} leaves user space`);
    if (before !== null && before.end > vma.start) found.push(`${before} overlaps ${vma}`);
    if (vma.anonVma !== null && !vma.anonVmaChain.includes(vma.anonVma)) {
      found.push(`${vma} has a foreign anon_vma`);
    }
    if (mm.vmas.lookup(vma.start) !== vma) found.push(`${vma} is not found at its start`);
    before = vma;
  }
  if (n !== mm.vmas.size) found.push(`the tree holds ${n} VMAs and says ${mm.vmas.size}`);
  const tables = forEachLeaf(mm, (address) => {
    if (mm.vmas.lookup(address) === null) found.push(`present entry at ${hex(address)} outside every VMA`);
  });
  if (tables !== mm.nrTables) found.push(`${tables} page tables where ${mm.nrTables} are counted`);
  return found;
}

/**
 * Violations over all address spaces of one kernel, which must be given completely: map counts are the numbers of
 * entries, references are at least as many, and no page that is mapped is free.
 */
export function validatePages(system: MmSystem, mms: readonly MmStruct[]): string[] {
  const found: string[] = [];
  const { memMap, pv } = system;
  const mapped = new Map<number, number>();
  for (const mm of mms) {
    forEachLeaf(mm, (address, flags, frame) => {
      if ((flags & _PAGE_SPECIAL) !== 0) return;
      const page = pv.ptePfn(frame, flags);
      if (!memMap.pfnValid(page)) {
        found.push(`entry at ${hex(address)} maps ${hex(page)}, which has no struct page`);
      } else mapped.set(page, (mapped.get(page) ?? 0) + 1);
    });
  }
  for (let page = 0; page < memMap.nrPages; page++) {
    const entries = mapped.get(page) ?? 0;
    if (memMap.refcount[page]! > 0 && memMap.pageMapcount(page) !== entries) {
      found.push(`page ${hex(page)} has mapcount ${memMap.pageMapcount(page)} and ${entries} entries`);
    }
    if (memMap.refcount[page]! < entries) {
      found.push(`page ${hex(page)} has ${entries} entries and ${memMap.refcount[page]} references`);
    }
  }
  return found;
}

/** Visits every present leaf of user space; answers the number of tables below the top one. */
function forEachLeaf(mm: MmStruct, visit: (address: number, flags: number, frame: number) => void): number {
  const { system } = mm;
  let tables = 0;
  const descend = (base: number, level: number, at: number): void => {
    if (base < 0) return;
    const entries = level === 4 ? PTRS_PER_TABLE / 2 : PTRS_PER_TABLE;
    for (let i = 0; i < entries; i++) {
      const slot = base * WORDS_PER_FRAME + i * 2;
      const flags = rawFlags(system, slot);
      const address = at + i * SIZE_OF_LEVEL[level]!;
      if (level === 1) {
        if (ptePresent(flags)) visit(address, flags, rawFrame(system, slot));
      } else if ((flags & _PAGE_PSE) !== 0 && ptePresent(flags)) {
        visit(address, flags, rawFrame(system, slot));
      } else if ((flags & _PAGE_PRESENT) !== 0) {
        tables++;
        descend(system.mem.slotOf(rawFrame(system, slot)), level - 1, address);
      }
    }
  };
  descend(system.mem.slotOf(mm.pgdFrame), 4, 0);
  return tables;
}
