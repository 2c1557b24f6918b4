/**
 * `draft_b`: the proposal of October 2014 as first written. An array of pages in the VMA, split when the VMA splits,
 * and read by `get_user_pages` before it faults. Entries are not special: the draft trusts that the fast walk fails
 * by itself because the M2P knows no local pfn. It does not fail (see gup_fast/x86_2014.ts).
 *
 * @cite list 2014-10-13 xen-devel, draft B of the grant mapping proposal
 * @module
 */

import { mm2014 } from "../../mm/flavour_2014.ts";
import type { KernelFlavour } from "../kernel_flavour.ts";
import { noForeignPages } from "../../mm/foreign_none.ts";
import { batchedKernelHalf } from "./kernel_half.ts";
import { EV } from "../../../trace/events.ts";
import type { SchemeMaker } from "./scheme.ts";
import { pageInVmaArray } from "./vma_pages_seed.ts";
import { splitVmaPages } from "./vma_pages_v1.ts";

/** The proposal. */
export const draftB: SchemeMaker = () => ({
  name: "array in the VMA, entries not special",
  userMapFlags: 0,
  mm: { ...noForeignPages, vmaWords: 1, pageBeforeFault: pageInVmaArray, splitVma: splitVmaPages },
  vmOps: {},
  kernelHalf: batchedKernelHalf,
  overridePfn: () => -1,
  attachVma(vma, pages) {
    vma.mm.system.trace.add(EV.vma_ext_word);
    vma.ext = { pages: { array: pages.slots, first: 0 } };
  },
});

/** The proposal of October 2014 as first written, on the mm of its time. */
export const draft_b: KernelFlavour = Object.freeze({
  title: "draft B: array in the VMA, entries not special",
  mm: mm2014,
  scheme: draftB,
  cite: "list 2014-10-13 xen-devel, draft B of the grant mapping proposal",
});
