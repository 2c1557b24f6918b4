/**
 * `GNTTABOP_get_version`: the version of a table's entries. Has no status: a bad domain is an errno.
 *
 * @cite xen 4.17 xen/common/grant_table.c gnttab_get_version
 * @module
 */

import { ERRNO } from "../../core/errno.ts";
import type { GnttabGetVersion } from "../abi.ts";
import type { Domain } from "../domain.ts";
import { word16 } from "../guest_word.ts";
import type { Hypervisor } from "../hypervisor.ts";

/** 0 or -errno. */
export function gnttabGetVersion(hv: Hypervisor, caller: Domain, op: GnttabGetVersion): number {
  const domain = hv.domainByAnyId(word16(op.dom), caller);
  if (domain === undefined) return -ERRNO.ESRCH;
  if (!hv.flavour.xsm.grantQuerySize(caller, domain)) return -ERRNO.EPERM;
  op.version = domain.grantTable.version;
  return 0;
}
