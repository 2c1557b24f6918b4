/**
 * The hypercalls of a mapping and what they leave in the map: handles, live grants, pages. Any grant that fails fails
 * the map; those that did map stay mapped until somebody undoes them.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_map_grant_pages
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import { gnttabMapRefs } from "../../linux/xen/gnttab.ts";
import type { GnttabMapGrantRef } from "../../xen/abi.ts";
import { GNTST_okay } from "../../xen/status.ts";
import type { GrantMap } from "./grant_map.ts";

/** One operation of the map. */
export function mapOp(map: GrantMap, i: number, host_addr: number, flags: number): GnttabMapGrantRef {
  const { domid, ref } = map.grants[i]!;
  return { host_addr, flags, ref, dom: domid, status: 1, handle: 0, dev_bus_addr: 0 };
}

/** Maps `map.mapOps` and, where there are any, `map.kmapOps`, from slot `first` to before `end`; null or the errno. */
export function gntdevMapGrantPages(map: GrantMap, first = 0, end = map.count): Errno | null {
  const { kernel, mapOps, kmapOps, pages } = map;
  const batch = {
    mapOps: mapOps.slice(first, end),
    kmapOps: kmapOps.slice(first, end),
    pages: pages.slice(first, end),
  };
  let errno: Errno | null = gnttabMapRefs(kernel, batch) === 0 ? null : "EINVAL";
  for (let i = first; i < end; i++) {
    const halves = [[mapOps[i]!, map.unmapOps[i]!], [kmapOps[i], map.kunmapOps[i]!]] as const;
    for (const [op, unmapOp] of halves) {
      if (op === undefined) continue;
      if (op.status !== GNTST_okay) {
        errno ??= "EINVAL";
        continue;
      }
      unmapOp.handle = op.handle;
      map.liveGrants++;
    }
    if (mapOps[i]!.status === GNTST_okay) map.slots[i] = pages[i]!;
  }
  return errno;
}
