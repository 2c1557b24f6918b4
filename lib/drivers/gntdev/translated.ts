/**
 * gntdev on a translated guest (PVH, HVM): one operation per grant, at the guest-physical address of a page, and the
 * pages inserted into the VMA as ordinary ones. Grants go when the map dies and not before.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_mmap
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { vmInsertPage } from "../../linux/mm/insert_page.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import type { GrantMap } from "./grant_map.ts";
import { gntdevMapGrantPages, mapOp } from "./map_grant_pages.ts";
import type { GntdevMode } from "./mode.ts";
import { unmapGrantPages } from "./unmap_grant_pages.ts";
import { unmapWithItem } from "./unmap_with_item.ts";

/** The mode of translated guests. */
export const translated: GntdevMode = Object.freeze({
  name: "translated",
  vmFlags: 0,
  map(map: GrantMap, vma: Vma) {
    const { kernel, pages } = map;
    map.mapOps = pages.map((page, i) => {
      const host_addr = kernel.guest.hostAddress(kernel, page);
      map.unmapOps[i]!.host_addr = host_addr;
      return mapOp(map, i, host_addr, map.flags);
    });
    const errno = gntdevMapGrantPages(map);
    if (errno !== null) return errno;
    for (const [i, page] of pages.entries()) {
      const refused = vmInsertPage(vma, vma.start + i * PAGE_SIZE, page);
      if (refused !== null) return refused;
    }
    return null;
  },
  undo() {},
  unmap: unmapWithItem,
  lastUser: (map: GrantMap) => unmapGrantPages(map, 0, map.count),
});
