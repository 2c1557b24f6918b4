/**
 * Page tables as Xen wants them: a table must not be writable for its guest, so Linux takes write access away in its
 * linear map before a page becomes one, and asks Xen to validate (*pin*) it. An address space is pinned as a whole
 * when it is first used, and let go as a whole when it ends; in between each new table goes through here.
 *
 * ```text
 *            fork's child          running                   ending
 *  tables    ordinary pages   ──▶  read-only, validated  ──▶ ordinary pages
 *  entries   plain stores          hypercalls or traps       plain stores
 *              dupMmap: pin                    exitMmap: unpin
 * ```
 *
 * Simplified: the kernel's own tables are pinned one by one as they are made at boot; the linear map has a page's
 * entry only once the page has been a table; one top table an address space, where Linux has one for the kernel and
 * one for user mode.
 *
 * @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_pgd_pin
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import type { Mfn } from "../../core/frames.ts";
import { WORDS_PER_FRAME } from "../../x86/phys_mem.ts";
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_NX,
  _PAGE_PRESENT,
  _PAGE_RW,
  flagsOf,
  frameOf,
} from "../../x86/pte.ts";
import {
  MMU_NORMAL_PT_UPDATE,
  MMUEXT_NEW_USER_BASEPTR,
  MMUEXT_PIN_L1_TABLE,
  MMUEXT_PIN_L4_TABLE,
  MMUEXT_UNPIN_TABLE,
} from "../../xen/abi.ts";
import { mmuUpdate } from "../../xen/hypercall.ts";
import type { MmStruct } from "../mm/mm_struct.ts";
import type { MmSystem } from "../mm/mm_system.ts";
import { lookupSlot, maddrOfSlot, rawFlags } from "../mm/pgtable.ts";
import type { Multicalls } from "./multicalls.ts";
import type { XenLinux } from "./xen_linux.ts";

/** `PAGE_KERNEL_RO` and `PAGE_KERNEL`, no write access and write access. @cite linux 6.1 arch/x86/include/asm/pgtable_types.h PAGE_KERNEL_RO */
export const PAGE_KERNEL_RO: number = _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_NX;
const PAGE_KERNEL: number = PAGE_KERNEL_RO | _PAGE_RW;

const CHILD_REFUSED = "an entry maps a frame of another domain, which Xen allows to grant operations only";

/** The tables of one kernel. */
export class PvTables {
  readonly #kernel: XenLinux;
  readonly #system: MmSystem;
  readonly #calls: Multicalls;
  readonly #pinned = new Set<MmStruct>();
  /** The first address space made. */
  #initMm: MmStruct | null = null;

  constructor(kernel: XenLinux, system: MmSystem, calls: Multicalls) {
    this.#kernel = kernel;
    this.#system = system;
    this.#calls = calls;
  }

  /** True if stores to the tables of `mm` are Xen's affair. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_page_pinned */
  isPinned(mm: MmStruct): boolean {
    return this.#pinned.has(mm);
  }

  /** A program starts. The kernel's own tables come first and have no linear map yet. */
  activate(mm: MmStruct): void {
    if (this.#initMm !== null) return void this.#pin(mm);
    this.#initMm = mm;
    this.#pinned.add(mm);
    this.#calls.extendMmuextOp({ cmd: MMUEXT_PIN_L4_TABLE, mfn: mm.pgdFrame });
    this.#calls.issue();
  }

  /** A child's tables are complete. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_dup_mmap */
  dupMmap(child: MmStruct): void {
    if (this.#pin(child) === 0) return;
    throw new KernelBug("xen_dup_mmap", "pinning the child's tables fails", CHILD_REFUSED);
  }

  /** A new table of level 1 … 3. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_alloc_ptpage */
  alloc(mm: MmStruct, pfn: number, level: number): void {
    if (!this.isPinned(mm)) return;
    const mfn = this.#mfn(pfn);
    if (mm === this.#initMm) {
      this.#calls.extendMmuextOp({ cmd: MMUEXT_PIN_L1_TABLE + level - 1, mfn });
    } else {
      this.#protect(pfn, PAGE_KERNEL_RO);
      if (level === 1) this.#calls.addMmuextOp({ cmd: MMUEXT_PIN_L1_TABLE, mfn });
    }
    this.#calls.issue();
  }

  /** A table that no entry points to any more. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_release_ptpage */
  release(mm: MmStruct, pfn: number, level: number): void {
    if (!this.isPinned(mm)) return;
    if (level === 1) this.#calls.addMmuextOp({ cmd: MMUEXT_UNPIN_TABLE, mfn: this.#mfn(pfn) });
    this.#protect(pfn, PAGE_KERNEL);
    this.#calls.issue();
  }

  /** The address space ends: nothing runs on it, nothing of it is a table. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_exit_mmap */
  exitMmap(mm: MmStruct): void {
    const calls = this.#calls;
    if (!this.#pinned.delete(mm)) return;
    if (this.#kernel.domain.vcpu.userBase === mm.pgdFrame) {
      calls.extendMmuextOp({ cmd: MMUEXT_NEW_USER_BASEPTR, mfn: 0 as Mfn });
      calls.flush();
    }
    calls.extendMmuextOp({ cmd: MMUEXT_UNPIN_TABLE, mfn: mm.pgdFrame });
    this.#protect(mm.pgd, PAGE_KERNEL);
    this.#forEachTable(mm, (pfn, level) => {
      if (level === 1) calls.extendMmuextOp({ cmd: MMUEXT_UNPIN_TABLE, mfn: this.#mfn(pfn) });
      this.#protect(pfn, PAGE_KERNEL);
    });
    calls.flush();
  }

  /** Calls that failed. */
  #pin(mm: MmStruct): number {
    const calls = this.#calls;
    this.#forEachTable(mm, (pfn, level) => {
      this.#protect(pfn, PAGE_KERNEL_RO);
      if (level === 1) calls.extendMmuextOp({ cmd: MMUEXT_PIN_L1_TABLE, mfn: this.#mfn(pfn) });
    });
    this.#protect(mm.pgd, PAGE_KERNEL_RO);
    calls.extendMmuextOp({ cmd: MMUEXT_PIN_L4_TABLE, mfn: mm.pgdFrame });
    this.#pinned.add(mm);
    return calls.flush();
  }

  /** Every table below the top one, each before those it points to. @cite linux 6.1 arch/x86/xen/mmu_pv.c __xen_pgd_walk */
  #forEachTable(mm: MmStruct, visit: (pfn: number, level: number) => void): void {
    const { mem, pv } = this.#system;
    const walk = (mfn: number, level: number) => {
      const base = mem.slotOf(mfn);
      if (base < 0) return;
      for (let i = 0; i < (level === 4 ? 256 : 512); i++) {
        const at = base * WORDS_PER_FRAME + i * 2;
        const flags = flagsOf(mem.words[at]!, mem.words[at + 1]!);
        if ((flags & _PAGE_PRESENT) === 0) continue;
        const frame = frameOf(mem.words[at]!, mem.words[at + 1]!);
        visit(pv.ptePfn(frame, flags), level - 1);
        if (level > 2) walk(frame, level - 1);
      }
    };
    walk(mm.pgdFrame, 4);
  }

  /** The page's entry in the linear map. @cite linux 6.1 arch/x86/xen/mmu_pv.c __set_pfn_prot */
  #protect(pfn: number, flags: number): void {
    const va = this.#kernel.kernelAddress(pfn);
    const slot = lookupSlot(this.#initMm!, va);
    if (rawFlags(this.#system, slot) === 0) this.#mapAsAtBoot(slot, pfn);
    this.#calls.addUpdateVaMapping(va, this.#mfn(pfn), flags);
  }

  /** All memory is writable in the linear map since boot. */
  #mapAsAtBoot(slot: number, pfn: number): void {
    const { hv, domain } = this.#kernel;
    const ptr = maddrOfSlot(this.#system, slot) + MMU_NORMAL_PT_UPDATE;
    hv.trace.uncounted(() => mmuUpdate(hv, domain, [{ ptr, frame: this.#mfn(pfn), flags: PAGE_KERNEL }]));
  }

  #mfn(pfn: number): Mfn {
    return this.#kernel.p2m.pfnToMfn(pfn) as Mfn;
  }
}
