/**
 * The kernel's own mapping of granted pages, made after the user's. Linux 4.0 on: one hypercall for all pages each
 * way, from operations prepared at map time.
 *
 * @cite linux 4.0 arch/x86/xen/p2m.c set_foreign_p2m_mapping
 * @module
 */

import type { GnttabMapGrantRef, GnttabUnmapGrantRef } from "../../../xen/abi.ts";
import { GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref } from "../../../xen/abi.ts";
import { GNTST_okay } from "../../../xen/status.ts";
import { HYPERVISOR_grant_table_op } from "../hypercalls.ts";
import { INVALID_P2M_ENTRY, P2M_FOREIGN } from "../p2m.ts";
import type { XenLinux } from "../xen_linux.ts";

/** Grants being mapped: operation i is for page i. */
export interface MapBatch {
  readonly mapOps: readonly GnttabMapGrantRef[];
  /** Empty where the kernel has no mapping of its own to make (blkback maps at kernel addresses at once). */
  readonly kmapOps: readonly GnttabMapGrantRef[];
  readonly pages: readonly number[];
}

/** Grants being unmapped. */
export interface UnmapBatch {
  readonly unmapOps: readonly GnttabUnmapGrantRef[];
  readonly kunmapOps: readonly GnttabUnmapGrantRef[];
  readonly pages: readonly number[];
}

/** Makes and undoes the kernel's half, and the p2m entries with it. */
export interface KernelHalf {
  /** `page->private` is free for the mark of foreign pages. */
  readonly marksPages: boolean;
  /** After the user's half: `mapOps[i].status` tells which were mapped. Fills `kmapOps` with statuses and handles. */
  set(kernel: XenLinux, batch: MapBatch): void;
  /** After the user's half was unmapped. */
  clear(kernel: XenLinux, batch: UnmapBatch): void;
}

/** One hypercall each way. */
export const batchedKernelHalf: KernelHalf = Object.freeze<KernelHalf>({
  marksPages: true,
  set(kernel, { mapOps, kmapOps, pages }) {
    if (kmapOps.length > 0) HYPERVISOR_grant_table_op(kernel, GNTTABOP_map_grant_ref, kmapOps);
    for (let i = 0; i < mapOps.length; i++) {
      const op = mapOps[i]!;
      if (op.status !== GNTST_okay || (kmapOps[i]?.status ?? GNTST_okay) !== GNTST_okay) continue;
      kernel.p2m.set(pages[i]!, Math.floor(op.dev_bus_addr / 4096), P2M_FOREIGN);
    }
  },
  clear(kernel, { kunmapOps, pages }) {
    for (const page of pages) kernel.p2m.set(page, INVALID_P2M_ENTRY);
    if (kunmapOps.length > 0) HYPERVISOR_grant_table_op(kernel, GNTTABOP_unmap_grant_ref, kunmapOps);
  },
});
