/**
 * Undoing the mapping of a run of grants, and the notifier that asks for it. On PV the notifier is what removes the
 * grants *before* the page tables are zapped: Linux never counted these entries, so zap must not find them.
 *
 * Whatever the reason for the invalidation (unmap, mprotect, mremap, DONTNEED), the grants of the range go.
 *
 * Ranges count from the address and size of the map, as since October 2022 (5c13a4a0291b). A map has one work item: a
 * run started while an earlier one waits for its pages overwrites it, and the earlier one's grants stay mapped.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c unmap_grant_pages
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { gnttabUnmapRefsAsync } from "../../linux/xen/gnttab.ts";
import { GNTST_okay } from "../../xen/status.ts";
import { clearNotifyByte } from "./clear_byte.ts";
import { type GrantMap, INVALID_GRANT_HANDLE } from "./grant_map.ts";
import { gntdevPutMap } from "./put_map.ts";

/** Unmaps those of `count` grants from slot `offset` that no unmap has begun on. */
export function unmapGrantPages(map: GrantMap, offset: number, count: number): void {
  if (map.liveGrants === 0) return;
  let at = offset;
  const end = offset + count;
  while (at < end) {
    while (at < end && map.beingRemoved[at] === 1) at++;
    const first = at;
    while (at < end && map.beingRemoved[at] === 0) map.beingRemoved[at++] = 1;
    if (at > first) unmapRun(map, first, at - first);
  }
}

/** One run without holes. @cite linux 6.1 drivers/xen/gntdev.c __unmap_grant_pages */
function unmapRun(map: GrantMap, first: number, count: number): void {
  clearNotifyByte(map, first, count);
  map.users++;
  const batch = {
    unmapOps: map.unmapOps.slice(first, first + count),
    kunmapOps: map.kunmapOps.slice(first, first + count),
    pages: map.pages.slice(first, first + count),
  };
  const item = map.unmapData ??= { batch, done: () => {}, age: 0, isQueued: false };
  item.batch = batch;
  item.done = () => unmapDone(map, first, count);
  gnttabUnmapRefsAsync(map.kernel, item);
}

/** @cite linux 6.1 drivers/xen/gntdev.c __unmap_grant_pages_done */
function unmapDone(map: GrantMap, first: number, count: number): void {
  for (let i = first; i < first + count; i++) {
    for (const op of [map.unmapOps[i]!, map.kunmapOps[i]]) {
      if (op === undefined || op.handle === INVALID_GRANT_HANDLE) continue;
      if (op.status === GNTST_okay) map.liveGrants--;
      else {
        map.kernel.system.printk(
          "warning",
          "__unmap_grant_pages_done",
          `unmap of slot ${i} answers status ${op.status}`,
        );
      }
      op.handle = INVALID_GRANT_HANDLE;
    }
    map.slots[i] = -1;
  }
  gntdevPutMap(map);
}

/** The notifier: grants of `[start, end)` go, clipped to the map. @cite linux 6.1 drivers/xen/gntdev.c gntdev_invalidate */
export function gntdevInvalidate(map: GrantMap, start: number, end: number): void {
  const mapEnd = map.start + map.count * PAGE_SIZE;
  const from = Math.max(start, map.start);
  const to = Math.min(end, mapEnd);
  if (from >= to) return;
  unmapGrantPages(map, (from - map.start) / PAGE_SIZE, (to - from) / PAGE_SIZE);
}
