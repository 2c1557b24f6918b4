/**
 * Where gntdev takes the range of a map from when somebody invalidates part of it: from the map itself, or, before
 * October 2022, from the VMA that the map was made with. A split changes that VMA, and its end takes the notifier away.
 *
 * ```text
 *            map of two pages          munmap of the first: the cut makes the upper piece the new VMA
 *   VMA      |0 1|                     |0| |1|      the map's VMA is the lower one, which goes; the notifier with it
 * ```
 *
 * @cite linux 6.0 drivers/xen/gntdev.c gntdev_vma_close
 * @module
 */

import { mm6_1 } from "../mm/flavour_6_1.ts";
import { gupFastGeneric } from "../mm/gup_fast/generic.ts";
import type { Vma } from "../mm/vma.ts";
import { findSpecialPage } from "./foreign/find_special_page.ts";
import type { KernelFlavour } from "./kernel_flavour.ts";

/** What is asked of a map. */
export interface RangedMap {
  /** Address of slot 0 at mmap. */
  readonly start: number;
  /** Bytes. */
  readonly length: number;
  /** The VMA that it was made with, null after that has gone. */
  readonly vma: Vma | null;
}

/** The two answers. */
export interface GntdevRange {
  readonly name: string;
  /** The range that an invalidation is clipped to; its start counts as slot 0. */
  rangeOf(map: RangedMap): { readonly start: number; readonly end: number };
  /** A VMA of the map closes: does the notifier go with it? `warn` is for a VMA that is not the map's. */
  endsWith(map: RangedMap, vma: Vma, warn: (condition: string) => void): boolean;
  /** How much a grant adds to what is live; `kernel`: undefined where there is no second half. A map with nothing live is never unmapped. */
  live(user: boolean, kernel: boolean | undefined): number;
  /** How much a finished run takes away: of so many grants, so many halves were unmapped. */
  unmapped(grants: number, halves: number): number;
}

/** The map's own address and size. @cite linux 6.1 drivers/xen/gntdev.c gntdev_invalidate */
export const rangeOfMap: GntdevRange = Object.freeze<GntdevRange>({
  name: "of the map",
  rangeOf: ({ start, length }) => ({ start, end: start + length }),
  endsWith: () => false,
  live: (user, kernel) => (user ? 1 : 0) + (kernel === true ? 1 : 0),
  unmapped: (_grants, halves) => halves,
});

/** The VMA of the mmap call, wherever its bounds are now. @cite linux 6.0 drivers/xen/gntdev.c gntdev_invalidate */
export const rangeOfVma: GntdevRange = Object.freeze<GntdevRange>({
  name: "of the VMA",
  rangeOf: ({ vma, start }) => vma === null ? { start, end: start } : { start: vma.start, end: vma.end },
  endsWith(map, vma, warn) {
    if (map.vma !== vma) warn("map->vma != vma");
    return true;
  },
  // A grant of which only one half was mapped does not count, and so may never be unmapped.
  live: (user, kernel) => user && kernel !== false ? 1 : 0,
  unmapped: (grants) => grants,
});

/** Linux 6.0: the driver before splits were accounted for, under the mm of 6.1. */
export const linux6_0: KernelFlavour = Object.freeze({
  title: "Linux 6.0: find_special_page, gntdev's notifier follows its VMA",
  mm: Object.freeze({ ...mm6_1, gupFast: gupFastGeneric }),
  scheme: findSpecialPage,
  gntdevRange: rangeOfVma,
  cite: "linux 6.0 drivers/xen/gntdev.c gntdev_invalidate",
});
