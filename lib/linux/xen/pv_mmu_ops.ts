/**
 * Linux's page-table operations on Xen PV: the tables hold machine frames, every change is a hypercall that Xen
 * validates, and what Linux reads is converted back.
 *
 * The asymmetry that the whole debate hangs on: `pte_val` and `pte_pfn` convert, and for a frame without a local pfn
 * the conversion gives flags without PRESENT and frame 0; `pte_flags` does not convert and shows the entry as it is.
 *
 * Simplified: no lazy mode, each change is a hypercall of its own; table pages are pinned at every level as soon as
 * they exist (README.md of this layer).
 *
 * @cite linux 6.1 arch/x86/xen/mmu_pv.c pte_mfn_to_pfn
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import type { Mfn } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_PRESENT } from "../../x86/pte.ts";
import {
  MMU_NORMAL_PT_UPDATE,
  MMUEXT_INVLPG_LOCAL,
  MMUEXT_NEW_BASEPTR,
  MMUEXT_NEW_USER_BASEPTR,
  MMUEXT_PIN_L1_TABLE,
  MMUEXT_TLB_FLUSH_LOCAL,
  MMUEXT_UNPIN_TABLE,
  type MmuextOp,
} from "../../xen/abi.ts";
import { mmuextOp, mmuUpdate } from "../../xen/hypercall.ts";
import type { MmSystem } from "../mm/mm_system.ts";
import { type PteSlot, type PvMmuOps, TLB_SINGLE_PAGE_FLUSH_CEILING } from "../mm/paravirt.ts";
import { forEachPteTable } from "../mm/page_range.ts";
import { maddrOfSlot, rawFlags, rawFrame } from "../mm/pgtable.ts";
import { INVALID_P2M_ENTRY } from "./p2m.ts";
import type { XenLinux } from "./xen_linux.ts";

const CHILD_REFUSED = "an entry maps a frame of another domain, which Xen allows to grant operations only";

/** The operations of one PV kernel. */
export function xenMmuOps(kernel: XenLinux, system: MmSystem): PvMmuOps {
  const { hv, domain, p2m } = kernel;
  /** Tables in which Xen refused an entry. */
  const refusedTables = new Set<number>();

  /** A validated store. Xen's refusal is a kernel warning, as in a multicall that fails. */
  function update(slot: PteSlot, frame: number, flags: number): void {
    hv.trace.add(EV.pte_write);
    const ptr = maddrOfSlot(system, slot) + MMU_NORMAL_PT_UPDATE;
    const { rc } = mmuUpdate(hv, domain, [{ ptr, frame, flags }]);
    if (rc === 0) return;
    refusedTables.add(Math.floor(ptr / PAGE_SIZE));
    system.printk("warning", "xen_mc_flush", `mmu_update of ${ptr.toString(16)} fails: ${rc}`);
  }

  function ext(...ops: MmuextOp[]): void {
    const { rc, done } = mmuextOp(hv, domain, ops);
    if (rc < 0) system.printk("warning", "xen_mc_flush", `mmuext_op ${ops[done]?.cmd} fails: ${rc}`);
  }

  function ptePfn(frame: number, flags: number): number {
    if ((flags & _PAGE_PRESENT) === 0) return frame;
    const pfn = kernel.mfnToPfn(frame);
    return pfn < 0 ? 0 : pfn;
  }

  /** `pte_pfn_to_mfn`: a present entry gets the machine frame; a page without one makes the entry empty. */
  function store(slot: PteSlot, pfn: number, flags: number): void {
    if ((flags & _PAGE_PRESENT) === 0) return update(slot, pfn, flags);
    const frame = p2m.pfnToMfn(pfn);
    if (frame === INVALID_P2M_ENTRY) return update(slot, 0, 0);
    update(slot, frame, flags);
  }

  const frameOfPage = (pfn: number) => p2m.pfnToMfn(pfn) as Mfn;

  /** A top table that is loaded cannot be given back. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_drop_mm_ref */
  function dropUserBase(mfn: Mfn): void {
    if (domain.vcpu.userBase === mfn) ext({ cmd: MMUEXT_NEW_USER_BASEPTR, mfn: 0 as Mfn });
  }

  return {
    name: "xen",
    framesArePfns: false,
    pteValFlags(frame, flags) {
      if ((flags & _PAGE_PRESENT) === 0) return flags;
      return kernel.mfnToPfn(frame) < 0 ? flags & ~_PAGE_PRESENT : flags;
    },
    ptePfn,
    setPte: store,
    setPteFlags(slot, flags) {
      const was = rawFlags(system, slot);
      const frame = rawFrame(system, slot);
      if (((was ^ flags) & _PAGE_PRESENT) === 0) return update(slot, frame, flags);
      store(slot, ptePfn(frame, was), flags);
    },
    clearPte: (slot) => update(slot, 0, 0),
    setTable: store,
    clearTable: (slot) => update(slot, 0, 0),
    allocTable: (pfn, level) => ext({ cmd: MMUEXT_PIN_L1_TABLE + level - 1, mfn: frameOfPage(pfn) }),
    releaseTable(pfn, level) {
      const mfn = frameOfPage(pfn);
      if (level === 4) dropUserBase(mfn);
      refusedTables.delete(mfn);
      ext({ cmd: MMUEXT_UNPIN_TABLE, mfn });
    },
    frameOfPage,
    machineFrame: (frame) => frame as Mfn,
    dupMmap(mm) {
      forEachPteTable(mm, 0, 2 ** 47, (_start, _end, slot) => {
        if (!refusedTables.has(Math.floor(maddrOfSlot(system, slot) / PAGE_SIZE))) return;
        throw new KernelBug("xen_dup_mmap", "pinning the child's tables fails", CHILD_REFUSED);
      });
    },
    /** Both bases in one hypercall: the kernel's is the same as before, and loading it drops the whole TLB. */
    switchMm(cpu, mm) {
      ext(
        { cmd: MMUEXT_NEW_BASEPTR, mfn: kernel.initMm.pgdFrame },
        { cmd: MMUEXT_NEW_USER_BASEPTR, mfn: mm.pgdFrame },
      );
      // The way back to user mode goes through Xen, which loads the user's tables.
      system.cpus[cpu]!.writeCr3(mm.pgdFrame);
    },
    flushTlbRange(_mm, start, end) {
      if ((end - start) / 4096 > TLB_SINGLE_PAGE_FLUSH_CEILING) return ext({ cmd: MMUEXT_TLB_FLUSH_LOCAL });
      for (let at = start; at < end; at += 4096) ext({ cmd: MMUEXT_INVLPG_LOCAL, linear: at });
    },
  };
}
