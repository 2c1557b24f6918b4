/**
 * Undoing the mapping of a run of grants, and the notifier that asks for it. On PV the notifier is what removes the
 * grants *before* the page tables are zapped: Linux never counted these entries, so zap must not find them.
 *
 * Whatever the reason for the invalidation (unmap, mprotect, mremap, DONTNEED), the grants of the range go.
 *
 * Where the range of a map comes from is the kernel's `gntdevRange`. How a run
 * waits for its pages is the mode's.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c unmap_grant_pages
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
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
  map.mode.unmap(map, { batch, done: () => unmapDone(map, first, count) });
}

/** @cite linux 6.1 drivers/xen/gntdev.c __unmap_grant_pages_done */
function unmapDone(map: GrantMap, first: number, count: number): void {
  let halves = 0;
  for (let i = first; i < first + count; i++) {
    for (const op of [map.unmapOps[i]!, map.kunmapOps[i]]) {
      if (op === undefined || op.handle === INVALID_GRANT_HANDLE) continue;
      if (op.status === GNTST_okay) halves++;
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
  map.liveGrants -= map.kernel.gntdevRange.unmapped(count, halves);
  gntdevPutMap(map);
}

/** The notifier: grants of `[start, end)` go, clipped to the range of the map. @cite linux 6.1 drivers/xen/gntdev.c gntdev_invalidate */
export function gntdevInvalidate(map: GrantMap, start: number, end: number): void {
  const range = map.kernel.gntdevRange.rangeOf(map);
  const from = Math.max(start, range.start);
  const to = Math.min(end, range.end);
  if (from >= to) return;
  map.kernel.hv.trace.span("gntdev_invalidate", () => {
    unmapGrantPages(map, (from - range.start) / PAGE_SIZE, (to - from) / PAGE_SIZE);
  });
}
