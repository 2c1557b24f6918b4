/**
 * Opening and closing /dev/xen/gntalloc.
 *
 * @cite linux 6.1 drivers/xen/gntalloc.c gntalloc_open
 * @module
 */

import { FileObject } from "../../linux/mm/file.ts";
import { GntallocPriv, type GntallocState, putGref } from "./grefs.ts";
import { gntallocMmap } from "./mmap.ts";

/** An open gntalloc file: what `mmap` takes, and the state that its ioctls work on. */
export interface GntallocFile {
  readonly file: FileObject;
  readonly priv: GntallocPriv;
}

/** Opens the device. */
export function gntallocOpen(state: GntallocState): GntallocFile {
  const priv = new GntallocPriv(state);
  const file = new FileObject({
    name: "gntalloc",
    ops: {
      name: "gntalloc",
      mmap: (vma) => gntallocMmap(priv, vma),
      release() {
        for (const gref of priv.list.splice(0)) putGref(state, gref);
      },
    },
  });
  return { file, priv };
}
