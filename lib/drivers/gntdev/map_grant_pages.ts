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
    const [user, kernelOp] = [mapOps[i]!, kmapOps[i]];
    for (const [op, unmapOp] of [[user, map.unmapOps[i]!], [kernelOp, map.kunmapOps[i]!]] as const) {
      if (op?.status === GNTST_okay) unmapOp.handle = op.handle;
      else if (op !== undefined) errno ??= "EINVAL";
    }
    const isOkay = (op: GnttabMapGrantRef) => op.status === GNTST_okay;
    map.liveGrants += kernel.gntdevRange.live(
      isOkay(user),
      kernelOp === undefined ? undefined : isOkay(kernelOp),
    );
    if (mapOps[i]!.status === GNTST_okay) map.slots[i] = pages[i]!;
  }
  return errno;
}
