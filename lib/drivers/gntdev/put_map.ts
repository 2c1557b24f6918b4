/**
 * The end of a map: the last user ends the notifier, sends the event and frees the pages.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_put_map
 * @module
 */

import { mmuIntervalNotifierRemove } from "../../linux/mm/mmu_notifier.ts";
import { NO_NOTIFY, notifyEvent } from "../unmap_notify.ts";
import type { GrantMap } from "./grant_map.ts";

/** Invalidations are not heard of any more. */
export function gntdevEndNotifier(map: GrantMap): void {
  if (map.notifier !== null) mmuIntervalNotifierRemove(map.notifier.mm, map.notifier.registration);
  map.notifier = null;
  map.vma = null;
}

/** Drops one user. */
export function gntdevPutMap(map: GrantMap): void {
  map.users--;
  if (map.users > 0) return;
  // An unmap that has to wait counts as a user and comes back here.
  map.users = 1;
  map.mode.lastUser(map);
  map.users--;
  if (map.users > 0) return;
  gntdevEndNotifier(map);
  notifyEvent(map.kernel, map.notify);
  map.notify = NO_NOTIFY;
  map.kernel.frameSource.free(map.pages);
}
