/**
 * What gntdev could do about pages that are still held when their range is invalidated (no release does): unmap the
 * program's half at once, and let only the kernel's half and the page wait. Zap then finds no entry of Xen's, nothing
 * leaks, the device still reaches the frame through the kernel's half, and each run has a work item of its own.
 *
 * @cite recorded grant-cases-pv.jsonl buffered_io
 * @module
 */

import { gnttabUnmapRefsAsync, gnttabUnmapUserHalf } from "../../linux/xen/gnttab.ts";
import type { GntdevMode, UnmapRun } from "./mode.ts";
import { ptemod } from "./ptemod.ts";

/** PV mode with the change. */
export const userHalfFirst: GntdevMode = Object.freeze<GntdevMode>({
  ...ptemod,
  name: "ptemod, user half first",
  unmap({ kernel }, { batch, done }: UnmapRun) {
    gnttabUnmapUserHalf(kernel, batch);
    const kernelHalf = { unmapOps: batch.kunmapOps, kunmapOps: [], pages: batch.pages };
    gnttabUnmapRefsAsync(kernel, { batch: kernelHalf, done, age: 0, isQueued: false });
  },
});
