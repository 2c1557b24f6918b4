/**
 * /dev/xen/privcmd, as far as it maps frames of other domains by number: the contrast to gntdev. Its VMAs are
 * IO|PFNMAP, so `get_user_pages` refuses them at the door and no page hangs on an entry; plain accesses and copies work.
 *
 * @cite linux 6.1 drivers/xen/privcmd.c privcmd_ioctl_mmap_batch
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { FileObject } from "../../linux/mm/file.ts";
import { findVma } from "../../linux/mm/find_vma.ts";
import type { MmStruct } from "../../linux/mm/mm_struct.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import { VM_DONTCOPY, VM_DONTDUMP, VM_DONTEXPAND, VM_IO, VM_PFNMAP } from "../../linux/mm/vm_flags.ts";
import type { VmOperations } from "../../linux/mm/vm_ops.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";

/** Pages that stand for the frames of a VMA, on a translated guest. */
function pagesOf(vma: Vma): readonly number[] {
  return Array.isArray(vma.privateData) ? vma.privateData : [];
}

/** Opens the device. */
export function privcmdOpen(kernel: XenLinux): FileObject {
  // What is not mapped is SIGBUS. @cite linux 6.1 drivers/xen/privcmd.c privcmd_fault
  const vmOps: VmOperations = {
    name: "privcmd",
    close: (vma) => kernel.guest.unmapForeign(kernel, pagesOf(vma)),
  };
  return new FileObject({
    name: "privcmd",
    ops: {
      name: "privcmd",
      mmap(vma) {
        // DONTCOPY: a copy of the page tables could not be made again.
        vma.flags |= VM_IO | VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;
        vma.ops = vmOps;
        return null;
      },
    },
  });
}

/** IOCTL_PRIVCMD_MMAPBATCH_V2: what to map where. */
export interface MmapBatch {
  readonly address: number;
  readonly domid: number;
  /** Frame numbers of the domain; of a PV domain: machine frames. */
  readonly frames: readonly number[];
}

/**
 * Maps the frames one page after the other; per frame 0 or a negative errno.
 *
 * Errors: EINVAL unless the range lies in one privcmd mapping.
 *
 * @cite linux 6.1 drivers/xen/privcmd.c mmap_batch_fn
 */
export function privcmdMmapBatch(kernel: XenLinux, mm: MmStruct, batch: MmapBatch): SysResult<number[]> {
  const { address, frames } = batch;
  const vma = findVma(mm, address);
  if (vma === null || vma.ops?.name !== "privcmd" || address < vma.start) return fail("EINVAL");
  if (address + frames.length * PAGE_SIZE > vma.end) return fail("EINVAL");
  return ok(kernel.guest.remapForeign(kernel, vma, address, frames, batch.domid));
}
