/**
 * gntdev on a PV guest: every grant is mapped twice, once at the program's page-table entry and once in the kernel's
 * linear map. The entries go when the range is invalidated, whatever for.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c find_grant_ptes
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { mmuIntervalNotifierInsert } from "../../linux/mm/mmu_notifier.ts";
import { allocSlot, maddrOfSlot } from "../../linux/mm/pgtable.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import { VM_DONTCOPY } from "../../linux/mm/vm_flags.ts";
import { GNTMAP_application_map, GNTMAP_contains_pte } from "../../xen/abi.ts";
import type { GrantMap } from "./grant_map.ts";
import { gntdevMapGrantPages, mapOp } from "./map_grant_pages.ts";
import type { GntdevMode } from "./mode.ts";
import { gntdevInvalidate, unmapGrantPages } from "./unmap_grant_pages.ts";
import { unmapWithItem } from "./unmap_with_item.ts";

/** The mode of PV guests. */
export const ptemod: GntdevMode = Object.freeze({
  name: "ptemod",
  vmFlags: VM_DONTCOPY,
  map: (map: GrantMap, vma: Vma) => prepare(map, vma) ?? gntdevMapGrantPages(map),
  undo: (map: GrantMap) => unmapGrantPages(map, 0, map.count),
  lastUser() {},
  unmap: unmapWithItem,
});

/** All but the grants: the notifier, what the design hangs on the VMA, the operations. */
export function prepare(map: GrantMap, vma: Vma, invalidate = gntdevInvalidate): Errno | null {
  const registration = {
    start: vma.start,
    end: vma.end,
    invalidate: (start: number, end: number) => invalidate(map, start, end),
  };
  map.notifier = { mm: vma.mm, registration };
  mmuIntervalNotifierInsert(vma.mm, registration);
  map.kernel.scheme.attachVma(vma, map);
  return findGrantPtes(map, vma);
}

/** One operation per page-table entry, and one per kernel address. */
function findGrantPtes(map: GrantMap, vma: Vma): Errno | null {
  const { kernel } = map;
  const flags = map.flags | GNTMAP_application_map | GNTMAP_contains_pte | kernel.scheme.userMapFlags;
  map.mapOps = [];
  map.kmapOps = [];
  for (let i = 0; i < map.count; i++) {
    const slot = allocSlot(vma.mm, vma.start + i * PAGE_SIZE);
    const kernelAddress = kernel.kernelAddress(map.pages[i]!);
    if (slot < 0) return "ENOMEM";
    const host_addr = maddrOfSlot(kernel.system, slot);
    map.mapOps.push(mapOp(map, i, host_addr, flags));
    map.kmapOps.push(mapOp(map, i, kernelAddress, map.flags));
    map.unmapOps[i]!.host_addr = host_addr;
    map.kunmapOps[i]!.host_addr = kernelAddress;
  }
  return null;
}
