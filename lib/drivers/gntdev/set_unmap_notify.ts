/**
 * IOCTL_GNTDEV_SET_UNMAP_NOTIFY: a byte to clear when its page is unmapped, an event to send when the map dies. A
 * later request replaces an earlier one.
 *
 * A byte of a map that is mapped read-only is refused; whether the map *will* be mapped read-only nobody asks.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_ioctl_notify
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { GNTMAP_readonly } from "../../xen/abi.ts";
import { UNMAP_NOTIFY_CLEAR_BYTE, UNMAP_NOTIFY_SEND_EVENT, type UnmapNotify } from "../unmap_notify.ts";
import type { GntdevPriv, GrantMap } from "./grant_map.ts";

/** The request: which byte of the file, what to do, and the port for the event. */
export interface GntdevUnmapNotify {
  readonly index: number;
  /** UNMAP_NOTIFY_* bits. */
  readonly action: number;
  readonly eventChannelPort: number;
}

/** Errors: EINVAL for other actions, a port that is not bound, or a byte of a read-only map; ENOENT where no map is. */
export function gntdevIoctlNotify(priv: GntdevPriv, request: GntdevUnmapNotify): SysResult<0> {
  const { index, action, eventChannelPort: event } = request;
  if ((action & ~(UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT)) !== 0) return fail("EINVAL");
  const { evtchn } = priv.kernel;
  if ((action & UNMAP_NOTIFY_SEND_EVENT) !== 0 && !evtchn.get(event)) return fail("EINVAL");
  const wish: UnmapNotify = { flags: action, addr: 0, event };
  const map = priv.maps.find((m) => isIn(m, index));
  const isRefused = map !== undefined && (action & UNMAP_NOTIFY_CLEAR_BYTE) !== 0 &&
    (map.flags & GNTMAP_readonly) !== 0;
  let unused = wish;
  if (map !== undefined && !isRefused) {
    unused = map.notify;
    map.notify = { ...wish, addr: index - map.index * PAGE_SIZE };
  }
  if ((unused.flags & UNMAP_NOTIFY_SEND_EVENT) !== 0) evtchn.put(unused.event);
  return map === undefined ? fail("ENOENT") : isRefused ? fail("EINVAL") : ok(0);
}

function isIn(map: GrantMap, index: number): boolean {
  return index >= map.index * PAGE_SIZE && index < (map.index + map.count) * PAGE_SIZE;
}
