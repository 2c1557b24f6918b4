/**
 * mmap of a gntdev file on a PV guest: every grant is mapped twice, once at the user's page-table entry and once in
 * the kernel's linear map. Errors of the grants appear here, as EINVAL for the whole mapping.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_mmap
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { mmuIntervalNotifierInsert } from "../../linux/mm/mmu_notifier.ts";
import { allocSlot, maddrOfSlot } from "../../linux/mm/pgtable.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import {
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_MIXEDMAP,
  VM_SHARED,
  VM_WRITE,
} from "../../linux/mm/vm_flags.ts";
import type { VmOperations } from "../../linux/mm/vm_ops.ts";
import { gnttabMapRefs } from "../../linux/xen/gnttab.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_host_map,
  GNTMAP_readonly,
  type GnttabMapGrantRef,
} from "../../xen/abi.ts";
import { GNTST_okay } from "../../xen/status.ts";
import { type GntdevPriv, gntdevPutMap, type GrantMap } from "./grant_map.ts";
import { gntdevInvalidate, unmapGrantPages } from "./unmap_grant_pages.ts";

/** Operations of a VMA of gntdev: no fault, no may_split, no mremap. */
export function gntdevVmOps(kernel: XenLinux): VmOperations {
  return {
    name: "gntdev",
    open(vma) {
      (vma.privateData as GrantMap).users++;
    },
    close(vma) {
      gntdevPutMap(vma.privateData as GrantMap);
    },
    ...kernel.scheme.vmOps,
  };
}

/** Maps the grants of the map at the VMA's offset; null or the errno. */
export function gntdevMmap(priv: GntdevPriv, vmOps: VmOperations, vma: Vma): Errno | null {
  if ((vma.flags & VM_WRITE) !== 0 && (vma.flags & VM_SHARED) === 0) return "EINVAL";
  const map = priv.find(vma.pgoff, vma.nrPages);
  if (map === undefined || map.inUse) return "EINVAL";
  map.inUse = true;
  map.users++;
  vma.ops = vmOps;
  vma.flags |= VM_DONTEXPAND | VM_DONTDUMP | VM_MIXEDMAP | VM_DONTCOPY;
  vma.privateData = map;
  const isWritable = (vma.flags & VM_WRITE) !== 0;
  map.flags = GNTMAP_host_map | (isWritable ? 0 : GNTMAP_readonly);
  map.start = vma.start;
  const registration = {
    start: vma.start,
    end: vma.end,
    invalidate: (start: number, end: number) => gntdevInvalidate(map, start, end),
  };
  map.notifier = { mm: vma.mm, registration };
  mmuIntervalNotifierInsert(vma.mm, registration);
  map.kernel.scheme.attachVma(vma, map);
  const errno = findGrantPtes(map, vma) ?? gntdevMapGrantPages(map);
  if (errno !== null) {
    unmapGrantPages(map, 0, map.count);
    gntdevPutMap(map);
  }
  return errno;
}

/** The user's half: one operation per page-table entry. @cite linux 6.1 drivers/xen/gntdev.c find_grant_ptes */
function findGrantPtes(map: GrantMap, vma: Vma): Errno | null {
  const { kernel } = map;
  const flags = map.flags | GNTMAP_application_map | GNTMAP_contains_pte | kernel.scheme.userMapFlags;
  map.mapOps = [];
  map.kmapOps = [];
  for (let i = 0; i < map.count; i++) {
    const slot = allocSlot(vma.mm, vma.start + i * PAGE_SIZE);
    const kernelAddress = kernel.kernelAddress(map.pages[i]!);
    if (slot < 0 || allocSlot(kernel.initMm, kernelAddress) < 0) return "ENOMEM";
    const host_addr = maddrOfSlot(kernel.system, slot);
    map.mapOps.push(mapOp(map, i, host_addr, flags));
    map.kmapOps.push(mapOp(map, i, kernelAddress, map.flags));
    map.unmapOps[i]!.host_addr = host_addr;
    map.kunmapOps[i]!.host_addr = kernelAddress;
  }
  return null;
}

function mapOp(map: GrantMap, i: number, host_addr: number, flags: number): GnttabMapGrantRef {
  const { domid, ref } = map.grants[i]!;
  return { host_addr, flags, ref, dom: domid, status: 1, handle: 0, dev_bus_addr: 0 };
}

/** Both halves; any grant that fails fails the map. @cite linux 6.1 drivers/xen/gntdev.c gntdev_map_grant_pages */
function gntdevMapGrantPages(map: GrantMap): Errno | null {
  const { kernel, mapOps, kmapOps, pages } = map;
  let errno: Errno | null = gnttabMapRefs(kernel, { mapOps, kmapOps, pages }) === 0 ? null : "EINVAL";
  for (let i = 0; i < map.count; i++) {
    const halves = [[mapOps[i]!, map.unmapOps[i]!], [kmapOps[i]!, map.kunmapOps[i]!]] as const;
    for (const [op, unmapOp] of halves) {
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
