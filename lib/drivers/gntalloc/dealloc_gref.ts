/**
 * IOCTL_GNTALLOC_DEALLOC_GREF: takes pages off the file. Mappings keep theirs until they go.
 *
 * @cite linux 6.1 drivers/xen/gntalloc.c gntalloc_ioctl_dealloc
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { doCleanup, findGrefs, type GntallocPriv } from "./grefs.ts";

/**
 * Errors: EINVAL unless so many pages lie in a row from that offset on.
 *
 * @cite recorded grant-cases-pv.jsonl alloc_errors
 */
export function gntallocIoctlDealloc(priv: GntallocPriv, index: number, count: number): SysResult<0> {
  const grefs = findGrefs(priv, index, count);
  if (grefs !== undefined) {
    priv.list.splice(priv.list.indexOf(grefs[0]!), count);
    for (const gref of grefs) gref.users--;
  }
  doCleanup(priv.state);
  return grefs === undefined ? fail("EINVAL") : ok(0);
}
