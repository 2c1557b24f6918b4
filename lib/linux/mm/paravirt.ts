/**
 * The seam between Linux's page-table code and the machine: native, or a hypervisor. A page-table entry in memory is
 * *raw* (frame and flags as the processor sees them); Linux thinks in pfns. Which of the two a kernel path looks at
 * decides what it sees of a foreign entry: `pte_present`, `pte_special` and `pte_flags` are raw, `pte_val`,
 * `pte_pfn` and `pte_page` are converted through here.
 *
 * @cite linux 6.1 arch/x86/include/asm/paravirt.h pte_val
 * @module
 */

import type { Mfn } from "../../core/frames.ts";
import { entryHi, entryLo } from "../../x86/pte.ts";
import { EV } from "../../trace/events.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { MmSystem } from "./mm_system.ts";

/** A page-table entry's place: index of its low word in `PhysMem.words`. */
export type PteSlot = number;

/** The operations; `frame` and `flags` (packed, see x86/pte.ts) are always raw. */
export interface PvMmuOps {
  readonly name: string;
  /** The frame in an entry is the pfn: `pteValFlags` and `ptePfn` change nothing and cost nothing. */
  readonly framesArePfns: boolean;
  /** Flags of `pte_val(pte)`: PRESENT is clear if the frame has no pfn here. */
  pteValFlags(frame: number, flags: number): number;
  /** `pte_pfn(pte)`: 0 if the frame has no pfn here. */
  ptePfn(frame: number, flags: number): number;
  /** `set_pte_at`: an entry for a page of this kernel. `pfn` is ignored if `flags` lack PRESENT and PROTNONE. */
  setPte(slot: PteSlot, pfn: number, flags: number): void;
  /** `set_pte` of an entry that keeps its frame: `ptep_set_access_flags`. */
  setPteFlags(slot: PteSlot, flags: number): void;
  /** `ptep_modify_prot_commit`: other rights; accessed and dirty stay as the processor sets them meanwhile. */
  modifyPteProt(slot: PteSlot, flags: number): void;
  /** `ptep_set_wrprotect`; `flags`: those of the entry without write access. */
  wrprotectPte(slot: PteSlot, flags: number): void;
  /** `ptep_get_and_clear`. */
  clearPte(slot: PteSlot): void;
  /** Changes of entries may wait until {@linkcode leaveLazyMmu}: a section of a walk that does not read them again. @cite linux 6.1 include/linux/pgtable.h arch_enter_lazy_mmu_mode */
  enterLazyMmu(): void;
  leaveLazyMmu(): void;
  /** An entry of a higher level that points to the table in page `pfn`. */
  setTable(mm: MmStruct, slot: PteSlot, pfn: number, flags: number): void;
  /** Empties an entry of a higher level. */
  clearTable(mm: MmStruct, slot: PteSlot): void;
  /** The page has become a table of `mm`, of level 1 … 3. */
  allocTable(mm: MmStruct, pfn: number, level: number): void;
  /** The page is about to stop being one. */
  releaseTable(mm: MmStruct, pfn: number, level: number): void;
  /** Where the bytes of a page are; `write`: they are to be changed. */
  frameOfPage(pfn: number, write?: boolean): Mfn;
  /** Where the bytes of the frame in an entry are; differs where the hypervisor keeps a second level of tables. */
  machineFrame(frame: number, write?: boolean): Mfn;
  /** A program starts with a fresh address space. @cite linux 6.1 arch/x86/include/asm/mmu_context.h activate_mm */
  activateMm(mm: MmStruct): void;
  /** The address space ends; its notifiers know. @cite linux 6.1 arch/x86/include/asm/paravirt.h paravirt_arch_exit_mmap */
  exitMmap(mm: MmStruct): void;
  /** The tables of a forked child are complete. @cite linux 6.1 arch/x86/include/asm/paravirt.h paravirt_arch_dup_mmap */
  dupMmap(mm: MmStruct): void;
  /** Makes `mm` the address space of a CPU. */
  switchMm(cpu: number, mm: MmStruct): void;
  /** Drops cached translations of `[start, end)` of `mm`. */
  flushTlbRange(mm: MmStruct, start: number, end: number): void;
}

/** Pages up to which Linux invalidates one by one. @cite linux 6.1 arch/x86/mm/tlb.c tlb_single_page_flush_ceiling */
export const TLB_SINGLE_PAGE_FLUSH_CEILING = 33;

/** Operations of a kernel that runs on the bare machine: pfn and frame are the same number. */
export function nativeMmuOps(system: MmSystem): PvMmuOps {
  const { mem, trace } = system;
  const store = (slot: PteSlot, frame: number, flags: number) => {
    trace.add(EV.pte_write);
    mem.words[slot] = entryLo(frame, flags);
    mem.words[slot + 1] = entryHi(frame, flags);
  };
  const setFlags = (slot: PteSlot, flags: number) => {
    trace.add(EV.pte_write);
    const words = mem.words;
    words[slot] = words[slot]! & ~0xfff | flags & 0xfff;
    words[slot + 1] = words[slot + 1]! & 0xfffff | flags >>> 12 << 20;
  };
  return {
    name: "native",
    framesArePfns: true,
    pteValFlags: (_frame, flags) => flags,
    ptePfn: (frame) => frame,
    setPte: store,
    setPteFlags: setFlags,
    modifyPteProt: setFlags,
    wrprotectPte: setFlags,
    clearPte: (slot) => store(slot, 0, 0),
    enterLazyMmu() {},
    leaveLazyMmu() {},
    setTable: (_mm, slot, pfn, flags) => store(slot, pfn, flags),
    clearTable: (_mm, slot) => store(slot, 0, 0),
    allocTable() {},
    releaseTable() {},
    frameOfPage: (pfn) => pfn as Mfn,
    machineFrame: (frame) => frame as Mfn,
    activateMm() {},
    exitMmap() {},
    dupMmap() {},
    switchMm(cpu, mm) {
      system.cpus[cpu]!.writeCr3(mm.pgdFrame);
    },
    flushTlbRange(mm, start, end) {
      const pages = (end - start) / 4096;
      for (const cpu of mm.activeCpus) {
        if (pages > TLB_SINGLE_PAGE_FLUSH_CEILING) {
          system.cpus[cpu]!.writeCr3(mm.pgdFrame);
          continue;
        }
        for (let at = start; at < end; at += 4096) {
          system.cpus[cpu]!.invlpg(Math.floor(at / 2 ** 32) | 0, at | 0);
        }
      }
    },
  };
}
