/**
 * Linux as a translated guest (PVH): its page tables hold guest frames and belong to it alone, the second level is the
 * hypervisor's. What Linux does to memory goes through that second level: a store to a read-only grant is dropped
 * without a fault, a guest frame with nothing behind reads as all ones.
 *
 * Simplified: the domain's own memory lies 1:1 (guest frame i is machine frame i), so that its page tables can be read
 * where they are; only frames that grants or foreign frames are mapped at are looked up in the second level.
 *
 * @cite linux 6.1 arch/x86/xen/enlighten_pvh.c xen_pvh_init
 * @module
 */

import { maddrOf, type Mfn } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { ERRNO } from "../../core/errno.ts";
import { _PAGE_SPECIAL } from "../../x86/pte.ts";
import { addToPhysmap, removeFromPhysmap } from "../../xen/hypercall.ts";
import { XENMAPSPACE_gmfn_foreign } from "../../xen/mmu/add_to_physmap.ts";
import { p2m_grant_map_ro, p2m_ram_rw } from "../../xen/p2m.ts";
import type { MmSystem } from "../mm/mm_system.ts";
import { pageProtOf } from "../mm/page_prot.ts";
import { nativeMmuOps, type PvMmuOps } from "../mm/paravirt.ts";
import { allocSlot } from "../mm/pgtable.ts";
import type { Vma } from "../mm/vma.ts";
import type { KernelHalf } from "./foreign/kernel_half.ts";
import type { GuestKind } from "./guest_kind.ts";
import type { XenLinux } from "./xen_linux.ts";

/** The second level is the hypervisor's, so Linux has nothing to keep true. @cite linux 6.1 arch/x86/xen/p2m.c set_foreign_p2m_mapping */
const noKernelHalf: KernelHalf = Object.freeze<KernelHalf>({ marksPages: true, set() {}, clear() {} });

/** A translated guest. */
export const pvhGuest: GuestKind = Object.freeze<GuestKind>({
  name: "pvh",
  autoTranslated: true,
  mmuOps: pvhMmuOps,
  startKernel({ hv, system }) {
    if (!hv.flavour.xsaveSizesSurprise) return;
    system.printk("warning", "fpu__init_system_xstate", "sizes of XSAVE areas differ from what CPUID says");
  },
  kernelHalf: () => noKernelHalf,
  grantFrame: (_kernel, page) => page,
  hostAddress: (_kernel, page) => page * PAGE_SIZE,
  kernelWrite8(kernel, page, offset, value) {
    const { system } = kernel;
    system.mem.write8(maddrOf(system.pv.frameOfPage(page, true), offset), value);
    return true;
  },
  remapForeign: xenXlateRemapGfnArray,
  unmapForeign: xenXlateUnmapGfnRange,
});

/** Native tables; frames are looked up in the second level where bytes are moved. */
function pvhMmuOps(kernel: XenLinux, system: MmSystem): PvMmuOps {
  const { hv, domain } = kernel;
  // Linux keeps its page 0 unused: it stands for what is read where nothing is. Frame 0 is nobody's: stores that are
  // dropped go there.
  const allOnes = domain.mfnOf(0);
  const dropped = 0 as Mfn;

  function machineFrame(gfn: number, write = false): Mfn {
    const type = domain.p2m!.type(gfn);
    if (type === p2m_ram_rw) return domain.p2m!.mfn(gfn) as Mfn;
    const mfn = domain.p2m!.mfn(gfn);
    if (mfn < 0) {
      if (!write) hv.mem.fillFrame(allOnes, 0xff);
      return write ? dropped : allOnes;
    }
    return write && type === p2m_grant_map_ro ? dropped : mfn as Mfn;
  }

  return { ...nativeMmuOps(system), name: "pvh", machineFrame, frameOfPage: machineFrame };
}

/** Puts each frame behind a page without memory of its own, and the pages into the VMA. @cite linux 6.1 drivers/xen/xlate_mmu.c xen_xlate_remap_gfn_array */
function xenXlateRemapGfnArray(
  kernel: XenLinux,
  vma: Vma,
  address: number,
  frames: readonly number[],
  domid: number,
): number[] {
  const pages = kernel.frameSource.alloc(frames.length);
  if (pages === null) return frames.map(() => -ERRNO.ENOMEM);
  vma.privateData = pages;
  const flags = pageProtOf(vma) | _PAGE_SPECIAL;
  return frames.map((idx, i) => {
    const op = { space: XENMAPSPACE_gmfn_foreign, idx, gpfn: pages[i]!, foreign_domid: domid };
    const rc = addToPhysmap(kernel.hv, kernel.domain, op);
    if (rc !== 0) return rc;
    const slot = allocSlot(vma.mm, address + i * PAGE_SIZE);
    if (slot < 0) return -ERRNO.ENOMEM;
    kernel.system.pv.setPte(slot, pages[i]!, flags);
    return 0;
  });
}

/** @cite linux 6.1 drivers/xen/xlate_mmu.c xen_xlate_unmap_gfn_range */
function xenXlateUnmapGfnRange(kernel: XenLinux, pages: readonly number[]): void {
  for (const page of pages) removeFromPhysmap(kernel.hv, kernel.domain, page);
  kernel.frameSource.free(pages);
}
