/**
 * IOCTL_GNTDEV_MAP_GRANT_REF: reserves an index and pages. No hypercall is made, so bad references are accepted here
 * and refused at mmap.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_ioctl_map_grant_ref
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { type GntdevPriv, type GrantId, GrantMap } from "./grant_map.ts";

/** Grants one request may name. @cite linux 6.1 drivers/xen/gntdev.c limit */
export const GNTDEV_LIMIT = 65536;

/**
 * The byte offset to mmap at.
 *
 * Errors: EINVAL for no grant or too many, ENOMEM when there are not so many pages.
 */
export function gntdevIoctlMapGrantRef(priv: GntdevPriv, grants: readonly GrantId[]): SysResult<number> {
  if (grants.length === 0 || grants.length > GNTDEV_LIMIT) return fail("EINVAL");
  const pages = priv.kernel.frameSource.alloc(grants.length);
  if (pages === null) return fail("ENOMEM");
  if (!priv.kernel.guest.autoTranslated) { for (const page of pages) priv.kernel.p2m.allocEntry(page); }
  const map = new GrantMap(priv.kernel, priv.mode, [...grants], pages);
  priv.add(map);
  return ok(map.index * PAGE_SIZE);
}
