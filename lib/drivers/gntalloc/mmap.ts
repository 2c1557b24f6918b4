/**
 * mmap of a gntalloc file: the granter's own pages, inserted as ordinary ones. `get_user_pages` takes them without a
 * second look, a child inherits them.
 *
 * @cite linux 6.1 drivers/xen/gntalloc.c gntalloc_mmap
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { vmInsertPage } from "../../linux/mm/insert_page.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import { VM_DONTDUMP, VM_DONTEXPAND, VM_SHARED } from "../../linux/mm/vm_flags.ts";
import type { VmOperations } from "../../linux/mm/vm_ops.ts";
import { findGrefs, type GntallocPriv, type Gref, putGref } from "./grefs.ts";

/** What a mapping holds, however often it is split. @cite linux 6.1 drivers/xen/gntalloc.c gntalloc_vma_private_data */
class GntallocVma {
  users = 1;

  constructor(readonly priv: GntallocPriv, readonly grefs: readonly Gref[]) {}
}

/** Operations of a mapping: no fault, so what is gone stays gone. */
export const gntallocVmOps: VmOperations = Object.freeze({
  name: "gntalloc",
  open(vma: Vma) {
    (vma.privateData as GntallocVma).users++;
  },
  close(vma: Vma) {
    const held = vma.privateData as GntallocVma;
    if (--held.users > 0) return;
    for (const gref of held.grefs) putGref(held.priv.state, gref);
  },
});

/** Maps the pages at the VMA's offset; null or the errno. */
export function gntallocMmap(priv: GntallocPriv, vma: Vma): Errno | null {
  if ((vma.flags & VM_SHARED) === 0) {
    priv.state.kernel.system.printk("driver-message", "gntalloc_mmap", "Mapping must be shared");
    return "EINVAL";
  }
  const grefs = findGrefs(priv, vma.pgoff * PAGE_SIZE, vma.nrPages);
  if (grefs === undefined) return "ENOENT";
  vma.privateData = new GntallocVma(priv, grefs);
  vma.flags |= VM_DONTEXPAND | VM_DONTDUMP;
  vma.ops = gntallocVmOps;
  for (const [i, gref] of grefs.entries()) {
    gref.users++;
    const errno = vmInsertPage(vma, vma.start + i * PAGE_SIZE, gref.page);
    if (errno !== null) return errno;
  }
  return null;
}
