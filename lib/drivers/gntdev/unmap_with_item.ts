/**
 * Unmapping a run with the map's one work item: if an earlier run still waits, its batch is overwritten.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c __unmap_grant_pages
 * @module
 */

import { gnttabUnmapRefsAsync } from "../../linux/xen/gnttab.ts";
import type { GrantMap } from "./grant_map.ts";
import type { UnmapRun } from "./mode.ts";

/** Both halves at once, as soon as nobody holds a page of the run. */
export function unmapWithItem(map: GrantMap, { batch, done }: UnmapRun): void {
  const item = map.unmapData ??= { batch, done, age: 0, isQueued: false };
  item.batch = batch;
  item.done = done;
  gnttabUnmapRefsAsync(map.kernel, item);
}
