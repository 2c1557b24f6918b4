/**
 * mmap of a gntdev file. Errors of the grants appear here, as EINVAL for the whole mapping; how the grants become
 * visible is the mode's.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_mmap
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import {
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_MAYWRITE,
  VM_MIXEDMAP,
  VM_SHARED,
  VM_WRITE,
} from "../../linux/mm/vm_flags.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import type { GntdevMode } from "./mode.ts";
import type { VmFault, VmOperations } from "../../linux/mm/vm_ops.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import { GNTMAP_host_map, GNTMAP_readonly } from "../../xen/abi.ts";
import type { GntdevPriv, GrantMap } from "./grant_map.ts";
import { gntdevEndNotifier, gntdevPutMap } from "./put_map.ts";

/** Operations of a VMA of gntdev: no may_split, no mremap, and no fault but where the mode has one. */
export function gntdevVmOps(kernel: XenLinux, mode: GntdevMode): VmOperations {
  const warn = (condition: string) => kernel.system.printk("warning", "gntdev_vma_close", condition);
  return {
    name: "gntdev",
    open(vma) {
      (vma.privateData as GrantMap).users++;
    },
    close(vma) {
      const map = vma.privateData as GrantMap;
      if (map.notifier !== null && kernel.gntdevRange.endsWith(map, vma, warn)) gntdevEndNotifier(map);
      gntdevPutMap(map);
    },
    ...(mode.fault === undefined ? {} : { fault: (vma, address) => faultOf(mode, vma, address) }),
    ...kernel.scheme.vmOps,
  };
}

function faultOf(mode: GntdevMode, vma: Vma, address: number): VmFault {
  const map = vma.privateData as GrantMap;
  return mode.fault!(map, Math.floor((address - map.start) / PAGE_SIZE));
}

/** Maps the grants of the map at the VMA's offset; null or the errno. */
export function gntdevMmap(priv: GntdevPriv, vmOps: VmOperations, vma: Vma): Errno | null {
  if ((vma.flags & VM_WRITE) !== 0 && (vma.flags & VM_SHARED) === 0) return "EINVAL";
  const map = priv.find(vma.pgoff, vma.nrPages);
  if (map === undefined || map.inUse) return "EINVAL";
  map.inUse = true;
  map.users++;
  vma.ops = vmOps;
  vma.flags |= VM_DONTEXPAND | VM_DONTDUMP | VM_MIXEDMAP | map.mode.vmFlags;
  vma.privateData = map;
  if ((vma.flags & VM_SHARED) === 0 && !priv.kernel.rules.privateGrantsMayWrite) vma.flags &= ~VM_MAYWRITE;
  map.flags = GNTMAP_host_map | ((vma.flags & VM_WRITE) !== 0 ? 0 : GNTMAP_readonly);
  map.start = vma.start;
  map.vma = vma;
  const errno = priv.kernel.hv.trace.span("gntdev_mmap", () => map.mode.map(map, vma));
  if (errno !== null) {
    map.mode.undo(map);
    gntdevPutMap(map);
  }
  return errno;
}
