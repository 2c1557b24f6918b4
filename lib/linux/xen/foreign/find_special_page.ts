/**
 * `linux4_0` and later: entries are special, and the VMA's operations know the page: index from the address at which
 * the map was born, so a split changes nothing. `find_normal_page` since Linux 6.18 is the same under another name.
 *
 * @cite linux 4.0 drivers/xen/gntdev.c gntdev_vma_find_special_page
 * @cite linux 4.0 mm/memory.c vm_normal_page
 * @module
 */

import { gupFastGeneric } from "../../mm/gup_fast/generic.ts";
import { mm6_1 } from "../../mm/flavour_6_1.ts";
import { mm2014 } from "../../mm/flavour_2014.ts";
import type { KernelFlavour } from "../kernel_flavour.ts";
import { PAGE_SIZE } from "../../../core/geometry.ts";
import { _GNTMAP_guest_avail0 } from "../../../xen/abi.ts";
import { noForeignPages } from "../../mm/foreign_none.ts";
import { NO_PAGE, NOT_SUPPLIED } from "../../mm/vm_ops.ts";
import { batchedKernelHalf } from "./kernel_half.ts";
import type { MapPages, SchemeMaker } from "./scheme.ts";

/** The design that Linux 4.0 merged. */
export const findSpecialPage: SchemeMaker = () => ({
  name: "find_special_page",
  userMapFlags: 1 << _GNTMAP_guest_avail0,
  mm: {
    ...noForeignPages,
    specialPage: (vma, address) => vma.ops?.findSpecialPage?.(vma, address) ?? NOT_SUPPLIED,
  },
  vmOps: {
    findSpecialPage(vma, address) {
      const map = vma.privateData as MapPages;
      return map.slots[Math.floor((address - map.start) / PAGE_SIZE)] ?? NO_PAGE;
    },
  },
  kernelHalf: batchedKernelHalf,
  overridePfn: () => -1,
  attachVma() {},
});

/** Linux 4.0: the design that was merged, under the fast walker of its time. */
export const linux4_0: KernelFlavour = Object.freeze({
  title: "Linux 4.0: find_special_page",
  mm: mm2014,
  scheme: findSpecialPage,
  cite: "linux 4.0 mm/memory.c vm_normal_page",
});

/** Linux 6.1: the same design under today's walker. */
export const linux6_1: KernelFlavour = Object.freeze({
  ...linux4_0,
  title: "Linux 6.1: find_special_page, generic fast walk",
  mm: Object.freeze({ ...mm6_1, gupFast: gupFastGeneric }),
  cite: "linux 6.1 mm/memory.c vm_normal_page",
});
