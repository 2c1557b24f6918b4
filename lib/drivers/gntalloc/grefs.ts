/**
 * The objects of gntalloc: one `Gref` per granted page, on the list of the file that made it and counted by that file
 * and by every mapping.
 *
 * @cite linux 6.1 drivers/xen/gntalloc.c gntalloc_gref
 * @module
 */

import { maddrOf } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import { NO_NOTIFY, notifyEvent, UNMAP_NOTIFY_CLEAR_BYTE, type UnmapNotify } from "../unmap_notify.ts";

/** Pages that all files together may grant. @cite linux 6.1 drivers/xen/gntalloc.c limit */
export const GNTALLOC_LIMIT = 1024;

/** One granted page. */
export interface Gref {
  readonly ref: number;
  readonly page: number;
  /** Byte offset on its file. */
  readonly fileIndex: number;
  /** The file's list and every page of a mapping that covers it. */
  users: number;
  /** `addr` is the byte in the page. */
  notify: UnmapNotify;
}

/** What the driver keeps for all files of one kernel. */
export class GntallocState {
  /** Pages granted and not given up yet. */
  size = 0;
  /** All that exist. */
  readonly grefs: Set<Gref> = new Set();

  constructor(readonly kernel: XenLinux) {}
}

/** State of one open file. @cite linux 6.1 drivers/xen/gntalloc.c gntalloc_file_private_data */
export class GntallocPriv {
  /** Ordered as they were made. */
  readonly list: Gref[] = [];
  /** Offset of the next allocation. */
  index = 0;

  constructor(readonly state: GntallocState) {}
}

/** `count` pages in a row from offset `index` on, or undefined. A count of 0 finds nothing. @cite linux 6.1 drivers/xen/gntalloc.c find_grefs */
export function findGrefs(priv: GntallocPriv, index: number, count: number): readonly Gref[] | undefined {
  const first = priv.list.findIndex((gref) => gref.fileIndex === index);
  if (first < 0 || count === 0) return undefined;
  const found = priv.list.slice(first, first + count);
  const inARow = found.every((gref, i) => gref.fileIndex === index + i * PAGE_SIZE);
  return inARow && found.length === count ? found : undefined;
}

/** Gives up what nobody uses any more. @cite linux 6.1 drivers/xen/gntalloc.c do_cleanup */
export function doCleanup(state: GntallocState): void {
  for (const gref of state.grefs) if (gref.users === 0) delGref(state, gref);
}

/** One user fewer; the last one gives the page up. */
export function putGref(state: GntallocState, gref: Gref): void {
  if (--gref.users === 0) delGref(state, gref);
}

/**
 * The page goes when the peer lets it go: the grant table waits for that, gntalloc itself does not. Inferred from the
 * driver, no recording reaches it; before March 2022 gntalloc kept such a page and tried again at the next call.
 *
 * @cite linux 6.1 drivers/xen/gntalloc.c __del_gref
 */
function delGref(state: GntallocState, gref: Gref): void {
  const { kernel } = state;
  const { mem, memMap } = kernel.system;
  if ((gref.notify.flags & UNMAP_NOTIFY_CLEAR_BYTE) !== 0) {
    mem.write8(maddrOf(kernel.system.frameOf(gref.page), gref.notify.addr), 0);
  }
  notifyEvent(kernel, gref.notify);
  gref.notify = NO_NOTIFY;
  state.grefs.delete(gref);
  state.size--;
  kernel.grantRefs.endForeignAccess(gref.ref, () => memMap.putPage(gref.page));
}
