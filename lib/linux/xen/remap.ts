/**
 * Mapping frames of another domain by number, without a grant: what the toolstack may and nobody else. The entries
 * are special and have no page; the frame's owner is named in the hypercall.
 *
 * @cite linux 6.1 arch/x86/xen/mmu_pv.c xen_remap_pfn
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { EV } from "../../trace/events.ts";
import { _PAGE_SPECIAL } from "../../x86/pte.ts";
import { MMU_NORMAL_PT_UPDATE } from "../../xen/abi.ts";
import { mmuUpdate } from "../../xen/hypercall.ts";
import { pageProtOf } from "../mm/page_prot.ts";
import { allocSlot, maddrOfSlot } from "../mm/pgtable.ts";
import type { Vma } from "../mm/vma.ts";
import type { XenLinux } from "./xen_linux.ts";

/** Maps frames of `domid` from `address` on: per frame 0 or a negative errno. */
export function xenRemapPfn(
  kernel: XenLinux,
  vma: Vma,
  address: number,
  frames: readonly number[],
  domid: number,
): number[] {
  const flags = pageProtOf(vma) | _PAGE_SPECIAL;
  return frames.map((frame, i) => {
    const slot = allocSlot(vma.mm, address + i * PAGE_SIZE);
    if (slot < 0) return -ERRNO.ENOMEM;
    kernel.hv.trace.add(EV.pte_write);
    const ptr = maddrOfSlot(kernel.system, slot) + MMU_NORMAL_PT_UPDATE;
    return mmuUpdate(kernel.hv, kernel.domain, [{ ptr, frame, flags }], domid).rc;
  });
}
