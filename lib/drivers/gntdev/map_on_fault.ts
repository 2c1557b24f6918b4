/**
 * gntdev as a program could have asked for it by a proposal of 2014: mmap prepares everything, a fault maps the one grant
 * it needs, both halves. A slot is mapped once in its life, as in the driver that exists: what an invalidation has taken
 * away does not come back.
 *
 * Never merged; see `linux/xen/foreign/lazy_fault.ts` for why it is of no use.
 *
 * @cite list 2014-10 xen-devel, the reply to draft B of the grant mapping proposal
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import type { VmFault } from "../../linux/mm/vm_ops.ts";
import type { GrantMap } from "./grant_map.ts";
import { gntdevMapGrantPages } from "./map_grant_pages.ts";
import type { GntdevMode } from "./mode.ts";
import { prepare, ptemod } from "./ptemod.ts";
import { gntdevInvalidate } from "./unmap_grant_pages.ts";

/** PV mode, one grant a fault. */
export const mapOnFault: GntdevMode = Object.freeze<GntdevMode>({
  ...ptemod,
  name: "ptemod, mapped on fault",
  map: (map: GrantMap, vma: Vma) => prepare(map, vma, invalidate),
  fault(map: GrantMap, slot: number): VmFault {
    if (map.beingRemoved[slot] !== 0) return { kind: "SIGBUS" };
    return { kind: gntdevMapGrantPages(map, slot, slot + 1) === null ? "mapped" : "SIGBUS" };
  },
});

/** Grants of the range go; those that were never mapped cannot be any more. */
function invalidate(map: GrantMap, start: number, end: number): void {
  const first = Math.max(0, (start - map.start) / PAGE_SIZE);
  const last = Math.min(map.count, (end - map.start) / PAGE_SIZE);
  for (let slot = first; slot < last; slot++) if (map.slots[slot]! < 0) map.beingRemoved[slot] = 1;
  gntdevInvalidate(map, start, end);
}
