/**
 * `classic2005`: Xen's own Linux. A VMA with the flag VM_FOREIGN has an array of pages in its private data, and
 * `get_user_pages` takes the page from there before it asks for anything else: not for rights either, so a device may
 * write to a grant that is mapped read-only. The index counts from the start of the VMA, and a split copies the
 * pointer: the seed's patch has the same flaw ten years later.
 *
 * Simplified: on the driver of 6.1; the time's own VM_RESERVED, which refuses what the array does not hold, is VM_IO here.
 *
 * @cite list 2005-07-04 VM_FOREIGN for direct I/O on foreign frames, changeset c6961d4f4a
 * @module
 */

import { mm2014 } from "../../mm/flavour_2014.ts";
import { noForeignPages } from "../../mm/foreign_none.ts";
import { noGupFast } from "../../mm/gup_fast/none.ts";
import { VM_IO } from "../../mm/vm_flags.ts";
import type { KernelFlavour } from "../kernel_flavour.ts";
import { batchedKernelHalf } from "./kernel_half.ts";
import type { SchemeMaker } from "./scheme.ts";
import { pageInVmaArray } from "./vma_pages_seed.ts";

/** The design of 2005. */
export const vmForeign: SchemeMaker = () => ({
  name: "VM_FOREIGN: array in the VMA's private data",
  userMapFlags: 0,
  mm: { ...noForeignPages, pageBeforeChecks: pageInVmaArray },
  vmOps: {},
  kernelHalf: batchedKernelHalf,
  overridePfn: () => -1,
  attachVma(vma, pages) {
    vma.flags |= VM_IO;
    vma.ext = { pages: { array: pages.slots, first: 0 } };
  },
});

/** Xen's own Linux of 2005. */
export const classic2005: KernelFlavour = Object.freeze({
  title: "Xen's own Linux of 2005: VM_FOREIGN",
  mm: Object.freeze({ ...mm2014, name: "mm of 2005", gupFast: noGupFast }),
  scheme: vmForeign,
  cite: "list 2005-07-04 VM_FOREIGN for direct I/O on foreign frames, changeset c6961d4f4a",
});
