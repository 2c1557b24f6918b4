/**
 * IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR: which map an address belongs to. Looks with `find_vma`, so an address in the
 * hole below a gntdev mapping answers, too.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_ioctl_get_offset_for_vaddr
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { findVma } from "../../linux/mm/find_vma.ts";
import type { MmStruct } from "../../linux/mm/mm_struct.ts";
import { GrantMap } from "./grant_map.ts";

/** Where the whole map of an address is on its file, whatever part of it the address is in. */
export interface MapOffset {
  /** In bytes. */
  readonly offset: number;
  readonly count: number;
}

/** Errors: EINVAL unless the next VMA that ends above the address is one of gntdev's. */
export function gntdevIoctlGetOffsetForVaddr(mm: MmStruct, address: number): SysResult<MapOffset> {
  const vma = findVma(mm, address);
  if (vma === null || !(vma.privateData instanceof GrantMap)) return fail("EINVAL");
  const map = vma.privateData;
  return ok({ offset: map.index * PAGE_SIZE, count: map.count });
}
