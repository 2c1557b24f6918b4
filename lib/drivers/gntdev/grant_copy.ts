/**
 * IOCTL_GNTDEV_GRANT_COPY: copies between grants and the program's memory, by the hypervisor, without a mapping. The
 * program's pages are pinned for one hypercall of up to 16 operations; a segment that crosses pages of the program
 * becomes several operations, of which the first that fails gives the segment its status.
 *
 * An error of a later segment leaves operations that were not issued yet undone, though their status says okay.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_ioctl_grant_copy
 * @module
 */

import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { getUserPagesFast, releaseUserPages } from "../../linux/mm/gup.ts";
import { FOLL_PIN, FOLL_WRITE } from "../../linux/mm/gup_flags.ts";
import type { MmStruct } from "../../linux/mm/mm_struct.ts";
import { gnttabBatchCopy } from "../../linux/xen/gnttab.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import { DOMID_SELF, GNTCOPY_dest_gref, GNTCOPY_source_gref, type GnttabCopy } from "../../xen/abi.ts";
import { GNTST_okay } from "../../xen/status.ts";

/** Operations of one hypercall. @cite linux 6.1 drivers/xen/gntdev.c GNTDEV_COPY_BATCH */
export const GNTDEV_COPY_BATCH = 16;

/** One side of a segment: memory of the program, or a part of a granted page. */
export type CopySide = { readonly address: number } | {
  readonly domid: number;
  readonly ref: number;
  readonly offset: number;
};

/** One segment. */
export interface GrantCopySegment {
  readonly source: CopySide;
  readonly dest: CopySide;
  /** Bytes, u16. */
  readonly len: number;
  /** GNTCOPY_source_gref, GNTCOPY_dest_gref: which sides are grants. */
  readonly flags: number;
  /** Written: `GNTST_*` once the segment was looked at. */
  status: number;
}

/** Operations collected for one hypercall, with the segment of each and the pages pinned for them. */
class CopyBatch {
  readonly ops: GnttabCopy[] = [];
  readonly segments: GrantCopySegment[] = [];
  readonly pinned: { readonly page: number; readonly gupFlags: number }[] = [];

  constructor(readonly kernel: XenLinux, readonly mm: MmStruct) {}

  /** @cite linux 6.1 drivers/xen/gntdev.c gntdev_put_pages */
  putPages(): void {
    for (const { page, gupFlags } of this.pinned.splice(0)) releaseUserPages(this.mm, [page], gupFlags);
  }

  /** Issues what was collected. @cite linux 6.1 drivers/xen/gntdev.c gntdev_copy */
  flush(): void {
    gnttabBatchCopy(this.kernel, this.ops);
    this.putPages();
    this.ops.forEach(({ status }, i) => {
      const segment = this.segments[i]!;
      if (status !== GNTST_okay && segment.status === GNTST_okay) segment.status = status;
    });
    this.ops.length = 0;
    this.segments.length = 0;
  }
}

/**
 * Copies the segments in order.
 *
 * Errors: EINVAL for a segment between two places of the program, or beyond the end of a granted page; what the
 * program's pages answer to a pin.
 */
export function gntdevIoctlGrantCopy(
  kernel: XenLinux,
  mm: MmStruct,
  segments: readonly GrantCopySegment[],
): SysResult<0> {
  const batch = new CopyBatch(kernel, mm);
  for (const segment of segments) {
    const errno = copySegment(batch, segment);
    if (errno === null) continue;
    batch.putPages();
    return fail(errno);
  }
  if (batch.ops.length > 0) batch.flush();
  return ok(0);
}

/** @cite linux 6.1 drivers/xen/gntdev.c gntdev_grant_copy_seg */
function copySegment(batch: CopyBatch, segment: GrantCopySegment): Errno | null {
  const { source, dest, flags } = segment;
  const len = segment.len & 0xffff;
  if ((flags & (GNTCOPY_source_gref | GNTCOPY_dest_gref)) === 0) return "EINVAL";
  if (isBeyond(source, len) || isBeyond(dest, len)) return "EINVAL";
  segment.status = GNTST_okay;
  for (let copied = 0; copied < len;) {
    if (batch.ops.length >= GNTDEV_COPY_BATCH) batch.flush();
    const n = Math.min(len - copied, roomIn(source, copied), roomIn(dest, copied));
    const from = pointer(batch, source, copied, false);
    if (typeof from === "string") return from;
    const to = pointer(batch, dest, copied, true);
    if (typeof to === "string") return to;
    const op = flags & (GNTCOPY_source_gref | GNTCOPY_dest_gref);
    batch.ops.push({ source: from, dest: to, len: n, flags: op, status: GNTST_okay });
    batch.segments.push(segment);
    copied += n;
  }
  return null;
}

function isBeyond(side: CopySide, len: number): boolean {
  return "ref" in side && side.offset + len > PAGE_SIZE;
}

/** Bytes from here to the end of the program's page. */
function roomIn(side: CopySide, copied: number): number {
  return "ref" in side ? Infinity : PAGE_SIZE - (side.address + copied) % PAGE_SIZE;
}

/** The side as the hypervisor takes it; the program's page is pinned. @cite linux 6.1 drivers/xen/gntdev.c gntdev_get_page */
function pointer(
  batch: CopyBatch,
  side: CopySide,
  copied: number,
  write: boolean,
): GnttabCopy["source"] | Errno {
  if ("ref" in side) return { domid: side.domid, ref: side.ref, offset: side.offset + copied };
  const { kernel, mm } = batch;
  const address = side.address + copied;
  const offset = address % PAGE_SIZE;
  const gupFlags = FOLL_PIN | (write ? FOLL_WRITE : 0);
  const got = getUserPagesFast(mm, address - offset, 1, gupFlags);
  if (!got.ok) return got.errno;
  const page = got.value.pages[0]!;
  batch.pinned.push({ page, gupFlags });
  return { domid: DOMID_SELF, gmfn: kernel.guest.grantFrame(kernel, page), offset };
}
