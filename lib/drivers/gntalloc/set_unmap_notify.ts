/**
 * IOCTL_GNTALLOC_SET_UNMAP_NOTIFY: what happens when a page is given up.
 *
 * @cite linux 6.1 drivers/xen/gntalloc.c gntalloc_ioctl_unmap_notify
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { UNMAP_NOTIFY_CLEAR_BYTE, UNMAP_NOTIFY_SEND_EVENT } from "../unmap_notify.ts";
import { findGrefs, type GntallocPriv } from "./grefs.ts";

/** What to do, and for which byte of the file. */
export interface UnmapNotifyRequest {
  readonly index: number;
  readonly action: number;
  readonly eventChannelPort: number;
}

/** Errors: ENOENT where no page is, EINVAL for unknown actions and for a port that is not bound. */
export function gntallocIoctlUnmapNotify(priv: GntallocPriv, request: UnmapNotifyRequest): SysResult<0> {
  const { index, action, eventChannelPort: event } = request;
  const { evtchn } = priv.state.kernel;
  const [gref] = findGrefs(priv, index - index % PAGE_SIZE, 1) ?? [];
  if (gref === undefined) return fail("ENOENT");
  if ((action & ~(UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT)) !== 0) return fail("EINVAL");
  if ((action & UNMAP_NOTIFY_SEND_EVENT) !== 0 && !evtchn.get(event)) return fail("EINVAL");
  if ((gref.notify.flags & UNMAP_NOTIFY_SEND_EVENT) !== 0) evtchn.put(gref.notify.event);
  gref.notify = { flags: action, addr: index % PAGE_SIZE, event };
  return ok(0);
}
