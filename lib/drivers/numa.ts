/**
 * move_pages and mbind on one node: which node a page is on, and a policy that cannot change anything. Pages that
 * stand for foreign frames are device memory to Linux (it made them out of unpopulated ranges), and such pages have no
 * node to tell.
 *
 * @cite linux 6.1 mm/migrate.c do_pages_stat_array
 * @module
 */

import { ERRNO, type Errno } from "../core/errno.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { findVma, vmaLookup } from "../linux/mm/find_vma.ts";
import { getUserPagesRemote, releaseUserPages } from "../linux/mm/gup.ts";
import { FOLL_DUMP, FOLL_FORCE, FOLL_GET, FOLL_NOFAULT } from "../linux/mm/gup_flags.ts";
import type { MmStruct } from "../linux/mm/mm_struct.ts";
import { splitVmaWithinLimit } from "../linux/mm/split.ts";
import { VM_IO, VM_PFNMAP } from "../linux/mm/vm_flags.ts";
import type { XenLinux } from "../linux/xen/xen_linux.ts";

/** The only node there is. */
const NODE = 0;

/** Status per address: the node, or a negative errno. Moving to the node where a page is already says the same. */
export function movePages(kernel: XenLinux, mm: MmStruct, addresses: readonly number[]): number[] {
  return addresses.map((address) => {
    if (vmaLookup(mm, address) === null) return -ERRNO.EFAULT;
    const page = residentPage(mm, address - address % PAGE_SIZE);
    if (page < 0) return page;
    const isDevice = kernel.hasDeviceMemory && kernel.frameSource.owns(page);
    return isDevice && !kernel.rules.tellsNodeOfDeviceMemory ? -ERRNO.ENOENT : NODE;
  });
}

/** The page that is mapped there, or a negative errno. @cite linux 6.1 mm/gup.c follow_page */
function residentPage(mm: MmStruct, address: number): number {
  const vma = findVma(mm, address)!;
  if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0) return -ERRNO.EFAULT;
  const gupFlags = FOLL_GET | FOLL_DUMP | FOLL_FORCE | FOLL_NOFAULT;
  const decisions: { what: string }[] = [];
  const got = getUserPagesRemote(mm, address, 1, gupFlags, decisions as never);
  if (got.ok) {
    releaseUserPages(mm, got.value, gupFlags);
    return got.value[0]!;
  }
  const isAbsent = decisions.some(({ what }) => what === "entry is not present");
  return isAbsent ? -ERRNO.ENOENT : -ERRNO[got.errno];
}

/** mbind(2) with a policy that names the only node: VMAs are cut, nothing else; null or EFAULT, ENOMEM. @cite linux 6.1 mm/mempolicy.c mbind_range */
export function mbind(mm: MmStruct, start: number, length: number): Errno | null {
  const end = start + length;
  let at = start;
  while (at < end) {
    const vma = vmaLookup(mm, at);
    if (vma === null) return "EFAULT";
    at = vma.end;
  }
  for (const cut of [start, end]) {
    const vma = vmaLookup(mm, cut);
    if (vma === null || vma.start === cut) continue;
    const made = splitVmaWithinLimit(vma, cut, cut === start);
    if (!made.ok) return made.errno;
  }
  return null;
}
