/**
 * The two ways in which Linux runs on Xen, as a table of operations: paravirtual, with machine frames in its own page
 * tables, or translated (PVH, HVM), where the hypervisor keeps a second level and Linux sees ordinary memory.
 *
 * @module
 */

import { maddrOf, type Mfn } from "../../core/frames.ts";
import { _PAGE_PRESENT, _PAGE_RW } from "../../x86/pte.ts";
import type { MmSystem } from "../mm/mm_system.ts";
import type { PvMmuOps } from "../mm/paravirt.ts";
import { allocSlot, lookupSlot, rawFlags, rawFrame } from "../mm/pgtable.ts";
import type { Vma } from "../mm/vma.ts";
import type { KernelHalf } from "./foreign/kernel_half.ts";
import { newBaseptr } from "./hypercalls.ts";
import { xenMmuOps } from "./pv_mmu_ops.ts";
import { xenRemapPfn } from "./remap.ts";
import type { XenLinux } from "./xen_linux.ts";

/** What depends on the kind of guest. */
export interface GuestKind {
  readonly name: "pv" | "pvh";
  /** XENFEAT_auto_translated_physmap. @cite linux 6.1 include/xen/xen.h xen_pv_domain */
  readonly autoTranslated: boolean;
  /** Page-table operations. */
  mmuOps(kernel: XenLinux, system: MmSystem): PvMmuOps;
  /** The kernel's own tables exist: make them the kernel's address space. */
  startKernel(kernel: XenLinux): void;
  /** How the kernel's own mapping of granted pages is made; `scheme`: as the design for foreign pages has it. */
  kernelHalf(scheme: KernelHalf): KernelHalf;
  /** The frame number by which a page is granted: machine frame on PV, guest frame else. @cite linux 6.1 include/xen/page.h xen_page_to_gfn */
  grantFrame(kernel: XenLinux, page: number): number;
  /** Where a grant is mapped for a page: kernel address on PV, guest-physical address else. @cite linux 6.1 include/xen/grant_table.h gnttab_set_map_op */
  hostAddress(kernel: XenLinux, page: number): number;
  /** The kernel stores a byte through its own mapping of a page that grants are mapped at; false if that faults. */
  kernelWrite8(kernel: XenLinux, page: number, offset: number, value: number): boolean;
  /** Maps frames of a domain by number into a VMA: per frame 0 or a negative errno. */
  remapForeign(
    kernel: XenLinux,
    vma: Vma,
    address: number,
    frames: readonly number[],
    domid: number,
  ): number[];
  /** A VMA with such frames has gone; `pages` stood for them, if any did. */
  unmapForeign(kernel: XenLinux, pages: readonly number[]): void;
}

/**
 * Loads the kernel's tables on every vCPU. Those but the first then idle; an idle vCPU leaves the mask of CPUs that a
 * flush must reach with the first flush that reaches it, so here they are not in it before they work.
 *
 * @cite xen 4.17 xen/arch/x86/domain.c sync_local_execstate
 */
function startVcpus(kernel: XenLinux): void {
  const { domain } = kernel;
  const boot = domain.currentVcpu;
  for (const { id } of domain.vcpus) {
    domain.currentVcpu = id;
    newBaseptr(kernel, kernel.initMm);
  }
  domain.currentVcpu = boot;
  for (const { id, cpu } of domain.vcpus) if (id !== boot) domain.dirtyCpus.delete(cpu);
}

/** A paravirtual guest. */
export const pvGuest: GuestKind = Object.freeze({
  name: "pv",
  autoTranslated: false,
  mmuOps: xenMmuOps,
  /** The linear map reaches over all pages from the start. @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_setup_kernel_pagetable */
  startKernel(kernel: XenLinux) {
    const { initMm } = kernel;
    startVcpus(kernel);
    for (let pfn = 0; pfn < kernel.p2m.size; pfn += 512) allocSlot(initMm, kernel.kernelAddress(pfn));
  },
  kernelHalf: (scheme: KernelHalf) => scheme,
  grantFrame: (kernel: XenLinux, page: number) => kernel.system.frameOf(page),
  hostAddress: (kernel: XenLinux, page: number) => kernel.kernelAddress(page),
  kernelWrite8(kernel: XenLinux, page: number, offset: number, value: number) {
    const { system } = kernel;
    const slot = lookupSlot(kernel.initMm, kernel.kernelAddress(page));
    const wanted = _PAGE_PRESENT | _PAGE_RW;
    if (slot < 0 || (rawFlags(system, slot) & wanted) !== wanted) return false;
    system.mem.write8(maddrOf(rawFrame(system, slot) as Mfn, offset), value);
    return true;
  },
  remapForeign: xenRemapPfn,
  unmapForeign() {},
});
