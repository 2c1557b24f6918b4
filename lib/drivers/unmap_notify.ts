/**
 * "Tell the peer when I let go": a byte that is cleared and an event that is sent when a page is given up. gntdev and
 * gntalloc share the idea.
 *
 * @cite linux 6.1 include/uapi/xen/gntdev.h ioctl_gntdev_unmap_notify
 * @module
 */

import type { XenLinux } from "../linux/xen/xen_linux.ts";

export const UNMAP_NOTIFY_CLEAR_BYTE = 1;
export const UNMAP_NOTIFY_SEND_EVENT = 2;

/** What was asked for. */
export interface UnmapNotify {
  /** UNMAP_NOTIFY_* bits. */
  readonly flags: number;
  /** Which byte: gntdev counts from the start of the file, gntalloc from the start of the page. */
  readonly addr: number;
  /** Port to notify. */
  readonly event: number;
}

/** Nothing was asked for. */
export const NO_NOTIFY: UnmapNotify = Object.freeze({ flags: 0, addr: 0, event: 0 });

/** Sends the event, if one was asked for, and lets its port go. */
export function notifyEvent(kernel: XenLinux, { flags, event }: UnmapNotify): void {
  if ((flags & UNMAP_NOTIFY_SEND_EVENT) === 0) return;
  kernel.evtchn.notify(event);
  kernel.evtchn.put(event);
}
