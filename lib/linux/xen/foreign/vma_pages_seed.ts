/**
 * `seed2014`: the patch of the reply. Entries are special, so the fast walk gives up by itself; `vm_normal_page` looks
 * in `vma->pages`. Three lines in mm, and splits not handled yet: the copied pointer of the upper piece still points
 * at the page of the old start.
 *
 * ```text
 * before   |0 1 2 3 4 5 6 7|   pages → [p0 p1 p2 p3 p4 p5 p6 p7]
 * munmap 4 |0 1 2 3| |5 6 7|   upper piece: pages[(address - its start)] = p0 p1 p2 for 5 6 7
 * ```
 *
 * @cite list 2014-10 xen-devel, the reply to draft B of the grant mapping proposal
 * @module
 */

import { mm2014 } from "../../mm/flavour_2014.ts";
import type { KernelFlavour } from "../kernel_flavour.ts";
import { _GNTMAP_guest_avail0 } from "../../../xen/abi.ts";
import { noForeignPages } from "../../mm/foreign_none.ts";
import { pageIndexInVma, type Vma } from "../../mm/vma.ts";
import { NO_PAGE, NOT_SUPPLIED } from "../../mm/vm_ops.ts";
import { batchedKernelHalf } from "./kernel_half.ts";
import { EV } from "../../../trace/events.ts";
import type { SchemeMaker } from "./scheme.ts";

/** `vma->pages[(address - vma->vm_start) >> PAGE_SHIFT]`, or `NOT_SUPPLIED` where the VMA has no array. */
export function pageInVmaArray(vma: Vma, address: number): number {
  const { pages } = vma.ext;
  if (pages === undefined) return NOT_SUPPLIED;
  return pages.array[pages.first + pageIndexInVma(vma, address)] ?? NO_PAGE;
}

/** The seed's own design. */
export const vmaPagesSeed: SchemeMaker = () => ({
  name: "vma->pages, splits not handled",
  userMapFlags: 1 << _GNTMAP_guest_avail0,
  mm: { ...noForeignPages, vmaWords: 1, specialPage: pageInVmaArray },
  vmOps: {},
  kernelHalf: batchedKernelHalf,
  overridePfn: () => -1,
  attachVma(vma, pages) {
    vma.mm.system.trace.add(EV.vma_ext_word);
    vma.ext = { pages: { array: pages.slots, first: 0 } };
  },
});

/** The reply's patch, on the mm of its time. */
export const seed2014: KernelFlavour = Object.freeze({
  title: "the reply's patch: vma->pages for special entries",
  mm: mm2014,
  scheme: vmaPagesSeed,
  cite: "list 2014-10 xen-devel, the reply to draft B of the grant mapping proposal",
});
