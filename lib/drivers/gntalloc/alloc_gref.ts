/**
 * IOCTL_GNTALLOC_ALLOC_GREF: pages of zeros, granted at once.
 *
 * @cite linux 6.1 drivers/xen/gntalloc.c gntalloc_ioctl_alloc
 * @module
 */

import { fail, ok, type SysResult } from "../../core/errno.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { NO_NOTIFY } from "../unmap_notify.ts";
import { doCleanup, GNTALLOC_LIMIT, type GntallocPriv, type Gref } from "./grefs.ts";

/** The peer may write. @cite linux 6.1 include/uapi/xen/gntalloc.h GNTALLOC_FLAG_WRITABLE */
export const GNTALLOC_FLAG_WRITABLE = 1;

/** What to grant to whom. */
export interface AllocGref {
  readonly domid: number;
  readonly flags: number;
  readonly count: number;
}

/** What was granted. */
export interface AllocatedGrefs {
  /** Byte offset to mmap at. */
  readonly index: number;
  readonly refs: readonly number[];
}

/**
 * Errors: ENOSPC above the limit of all files together, ENOMEM, ENOSPC without references. An unknown domain is no
 * error: it may come yet.
 */
export function gntallocIoctlAlloc(priv: GntallocPriv, op: AllocGref): SysResult<AllocatedGrefs> {
  const { state } = priv;
  doCleanup(state);
  if (state.size + op.count > GNTALLOC_LIMIT) return fail("ENOSPC");
  const index = priv.index;
  priv.index += op.count * PAGE_SIZE;
  const made: Gref[] = [];
  for (let i = 0; i < op.count; i++) {
    const gref = addGref(priv, op, index + i * PAGE_SIZE);
    if (typeof gref === "string") {
      for (const other of made) other.users = 0;
      doCleanup(state);
      return fail(gref);
    }
    made.push(gref);
  }
  priv.list.push(...made);
  return ok({ index, refs: made.map((gref) => gref.ref) });
}

/** @cite linux 6.1 drivers/xen/gntalloc.c add_grefs */
function addGref({ state }: GntallocPriv, op: AllocGref, fileIndex: number): Gref | "ENOMEM" | "ENOSPC" {
  const { kernel } = state;
  const { memMap, mem } = kernel.system;
  const page = memMap.allocPage();
  if (page < 0) return "ENOMEM";
  const frame = kernel.system.frameOf(page);
  mem.clearFrame(frame);
  const readonly = (op.flags & GNTALLOC_FLAG_WRITABLE) === 0;
  const ref = kernel.grantRefs.grantForeignAccess(op.domid, kernel.guest.grantFrame(kernel, page), readonly);
  if (ref < 0) {
    memMap.putPage(page);
    return "ENOSPC";
  }
  const gref = { ref, page, fileIndex, users: 1, notify: NO_NOTIFY };
  state.grefs.add(gref);
  state.size++;
  return gref;
}
