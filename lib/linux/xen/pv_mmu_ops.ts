/**
 * Linux's page-table operations on Xen PV: the tables hold machine frames, every change is one that Xen validates, and
 * what Linux reads is converted back.
 *
 * The asymmetry that the whole debate hangs on: `pte_val` and `pte_pfn` convert, and for a frame without a local pfn
 * the conversion gives flags without PRESENT and frame 0; `pte_flags` does not convert and shows the entry as it is.
 *
 * Which way a change takes:
 *
 * | Linux                                                    | way to Xen                                         |
 * | -------------------------------------------------------- | -------------------------------------------------- |
 * | `set_pte` outside lazy mode                              | `mmu_update` of one, at once, the answer unread    |
 * | `set_pte` in lazy mode                                   | one update more in the waiting list                |
 * | `ptep_modify_prot_commit`                                | the list, accessed and dirty bits preserved        |
 * | `ptep_get_and_clear`, `ptep_set_wrprotect`               | a plain store: trapped and emulated                |
 * | entries above level 1                                    | the list; a plain store while not pinned           |
 * | tables made and given back, flushes of the TLB           | the list                                           |
 *
 * @cite linux 6.1 arch/x86/xen/mmu_pv.c pte_mfn_to_pfn
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import type { Mfn } from "../../core/frames.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_PRESENT } from "../../x86/pte.ts";
import {
  MMU_NORMAL_PT_UPDATE,
  MMU_PT_UPDATE_PRESERVE_AD,
  MMUEXT_INVLPG_LOCAL,
  MMUEXT_INVLPG_MULTI,
  MMUEXT_NEW_BASEPTR,
  MMUEXT_NEW_USER_BASEPTR,
  MMUEXT_TLB_FLUSH_LOCAL,
  MMUEXT_TLB_FLUSH_MULTI,
} from "../../xen/abi.ts";
import { mmuUpdate } from "../../xen/hypercall.ts";
import { storeEntry } from "../../xen/mmu/ptwr.ts";
import type { MmStruct } from "../mm/mm_struct.ts";
import type { MmSystem } from "../mm/mm_system.ts";
import { type PteSlot, type PvMmuOps, TLB_SINGLE_PAGE_FLUSH_CEILING } from "../mm/paravirt.ts";
import { maddrOfSlot, rawFlags, rawFrame } from "../mm/pgtable.ts";
import { Multicalls } from "./multicalls.ts";
import { INVALID_P2M_ENTRY } from "./p2m.ts";
import { PvTables } from "./pv_tables.ts";
import type { XenLinux } from "./xen_linux.ts";

/** The operations of one PV kernel. */
export function xenMmuOps(kernel: XenLinux, system: MmSystem): PvMmuOps {
  const { hv, domain, p2m } = kernel;
  const calls = new Multicalls(kernel, system);
  const tables = new PvTables(kernel, system, calls);

  function ptePfn(frame: number, flags: number): number {
    if ((flags & _PAGE_PRESENT) === 0) return frame;
    const pfn = kernel.mfnToPfn(frame);
    return pfn < 0 ? 0 : pfn;
  }

  /** `set_pte`: Linux does not look at the answer of the call made at once. @cite linux 6.1 arch/x86/xen/mmu_pv.c __xen_set_pte */
  function setPteMa(slot: PteSlot, frame: number, flags: number): void {
    hv.trace.add(EV.pte_write);
    const update = { ptr: maddrOfSlot(system, slot) + MMU_NORMAL_PT_UPDATE, frame, flags };
    if (calls.isLazy) return calls.extendMmuUpdate(update);
    hv.trace.add(EV.set_pte_call);
    mmuUpdate(hv, domain, [update]);
  }

  /** A store by the kernel's own instruction. */
  function storePte(slot: PteSlot, frame: number, flags: number): void {
    hv.trace.add(EV.pte_write);
    const pte = maddrOfSlot(system, slot);
    if (storeEntry(hv, domain, pte, frame, flags) !== "page fault") return;
    throw new KernelBug(
      "exc_page_fault",
      "store to a page table",
      `Xen refuses the entry at ${pte.toString(16)}`,
    );
  }

  /** `pte_pfn_to_mfn`: a present entry gets the machine frame; a page without one makes the entry empty. */
  function machineEntry(
    slot: PteSlot,
    pfn: number,
    flags: number,
    store: (slot: PteSlot, frame: number, flags: number) => void,
  ): void {
    if ((flags & _PAGE_PRESENT) === 0) return store(slot, pfn, flags);
    const frame = p2m.pfnToMfn(pfn);
    if (frame === INVALID_P2M_ENTRY) return store(slot, 0, 0);
    store(slot, frame, flags);
  }

  /** An entry that keeps its frame: a frame of memory where it becomes or was present, a pfn else. */
  function keepFrame(
    slot: PteSlot,
    flags: number,
    store: (slot: PteSlot, frame: number, flags: number) => void,
  ): void {
    const was = rawFlags(system, slot);
    const frame = rawFrame(system, slot);
    if (((was ^ flags) & _PAGE_PRESENT) === 0) return store(slot, frame, flags);
    machineEntry(slot, ptePfn(frame, was), flags, store);
  }

  /** @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_ptep_modify_prot_commit */
  function modifyProt(slot: PteSlot, frame: number, flags: number): void {
    hv.trace.add(EV.pte_write);
    calls.extendMmuUpdate({ ptr: maddrOfSlot(system, slot) + MMU_PT_UPDATE_PRESERVE_AD, frame, flags });
    calls.issue();
  }

  /** @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_set_pmd */
  function setTable(mm: MmStruct, slot: PteSlot, frame: number, flags: number): void {
    if (!tables.isPinned(mm)) return storePte(slot, frame, flags);
    hv.trace.add(EV.pte_write);
    calls.extendMmuUpdate({ ptr: maddrOfSlot(system, slot) + MMU_NORMAL_PT_UPDATE, frame, flags });
    calls.issue();
  }

  /** Other CPUs are Xen's to ask, this one included. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_flush_tlb_multi */
  function flushTlbMulti(mm: MmStruct, start: number, end: number): void {
    const vcpumask = domain.vcpus.reduce(
      (mask, { id, cpu }) => mm.activeCpus.has(cpu) ? mask + 2 ** id : mask,
      0,
    );
    calls.addMmuextOp(
      end - start <= 4096
        ? { cmd: MMUEXT_INVLPG_MULTI, linear: start, vcpumask }
        : { cmd: MMUEXT_TLB_FLUSH_MULTI, vcpumask },
    );
    calls.issue();
  }

  return {
    name: "xen",
    framesArePfns: false,
    pteValFlags(frame, flags) {
      if ((flags & _PAGE_PRESENT) === 0) return flags;
      return kernel.mfnToPfn(frame) < 0 ? flags & ~_PAGE_PRESENT : flags;
    },
    ptePfn,
    setPte: (slot, pfn, flags) => machineEntry(slot, pfn, flags, setPteMa),
    setPteFlags: (slot, flags) => keepFrame(slot, flags, setPteMa),
    modifyPteProt: (slot, flags) => keepFrame(slot, flags, modifyProt),
    wrprotectPte: (slot, flags) => storePte(slot, rawFrame(system, slot), flags),
    clearPte: (slot) => storePte(slot, 0, 0),
    enterLazyMmu: () => calls.enterLazy(),
    leaveLazyMmu: () => calls.leaveLazy(),
    setTable: (mm, slot, pfn, flags) => setTable(mm, slot, p2m.pfnToMfn(pfn), flags),
    clearTable: (mm, slot) => setTable(mm, slot, 0, 0),
    allocTable: (mm, pfn, level) => tables.alloc(mm, pfn, level),
    releaseTable: (mm, pfn, level) => tables.release(mm, pfn, level),
    frameOfPage: (pfn) => p2m.pfnToMfn(pfn) as Mfn,
    machineFrame: (frame) => frame as Mfn,
    activateMm: (mm) => tables.activate(mm),
    exitMmap: (mm) => tables.exitMmap(mm),
    dupMmap: (mm) => tables.dupMmap(mm),
    /** Both bases in one hypercall: the kernel's is the same as before, and loading it drops the whole TLB. */
    switchMm(cpu, mm) {
      calls.extendMmuextOp({ cmd: MMUEXT_NEW_BASEPTR, mfn: kernel.initMm.pgdFrame });
      calls.extendMmuextOp({ cmd: MMUEXT_NEW_USER_BASEPTR, mfn: mm.pgdFrame });
      calls.issue();
      // The way back to user mode goes through Xen, which loads the user's tables.
      system.cpus[cpu]!.writeCr3(mm.pgdFrame);
    },
    /** One call a page, or one for all. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_flush_tlb_one_user */
    flushTlbRange(mm, start, end) {
      if (mm.activeCpus.size > 1) return flushTlbMulti(mm, start, end);
      if ((end - start) / 4096 > TLB_SINGLE_PAGE_FLUSH_CEILING) {
        calls.addMmuextOp({ cmd: MMUEXT_TLB_FLUSH_LOCAL });
        return calls.issue();
      }
      for (let at = start; at < end; at += 4096) {
        calls.addMmuextOp({ cmd: MMUEXT_INVLPG_LOCAL, linear: at });
        calls.issue();
      }
    },
  };
}
