/**
 * IOCTL_GNTDEV_UNMAP_GRANT_REF: takes a map off its file. Live mappings stay until they are unmapped.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_ioctl_unmap_grant_ref
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import type { GntdevPriv } from "./grant_map.ts";
import { gntdevPutMap } from "./put_map.ts";

/** Errors: ENOENT unless offset and count are exactly those of one map. `offset` is in bytes. */
export function gntdevIoctlUnmapGrantRef(priv: GntdevPriv, offset: number, count: number): SysResult<0> {
  const map = offset % PAGE_SIZE === 0 ? priv.find(offset / PAGE_SIZE, count) : undefined;
  if (map === undefined) return fail("ENOENT");
  priv.maps.splice(priv.maps.indexOf(map), 1);
  gntdevPutMap(map);
  return ok(0);
}
