/**
 * `vma_pages_v1`: the first posting of January 2015. The seed's field plus arithmetic in `__split_vma`: the piece
 * whose start moves gets its pointer moved by as many pages.
 *
 * @cite list 2015-01-08 mm: allow for an alternate set of pages for userspace mappings
 * @module
 */

import { pageIndexInVma, type Vma } from "../../mm/vma.ts";
import type { KernelFlavour } from "../kernel_flavour.ts";
import type { SchemeMaker } from "./scheme.ts";
import { seed2014, vmaPagesSeed } from "./vma_pages_seed.ts";

/** Moves the pointer of the upper piece by the length of the lower one. */
export function splitVmaPages(vma: Vma, copy: Vma, address: number, newBelow: boolean): void {
  const upper = newBelow ? vma : copy;
  const { pages } = upper.ext;
  if (pages === undefined) return;
  upper.ext = { pages: { array: pages.array, first: pages.first + pageIndexInVma(vma, address) } };
}

/** The posting of 8 January 2015. */
export const vmaPagesV1: SchemeMaker = (kernel) => {
  const seed = vmaPagesSeed(kernel);
  return { ...seed, name: "vma->pages, split by mm", mm: { ...seed.mm, splitVma: splitVmaPages } };
};

/** The posting of January 2015, on the mm of its time. */
export const vma_pages_v1: KernelFlavour = Object.freeze({
  ...seed2014,
  title: "January 2015: vma->pages, split by mm",
  scheme: vmaPagesV1,
  cite: "list 2015-01-08 mm: allow for an alternate set of pages for userspace mappings",
});
