/**
 * Opening and closing /dev/xen/gntdev.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_open
 * @module
 */

import { FileObject } from "../../linux/mm/file.ts";
import type { XenLinux } from "../../linux/xen/xen_linux.ts";
import { GntdevPriv } from "./grant_map.ts";
import { gntdevMmap, gntdevVmOps } from "./mmap.ts";
import type { GntdevMode } from "./mode.ts";
import { ptemod } from "./ptemod.ts";
import { gntdevPutMap } from "./put_map.ts";
import { translated } from "./translated.ts";

/** An open gntdev file: what `mmap` takes, and the state that its ioctls work on. */
export interface GntdevFile {
  readonly file: FileObject;
  readonly priv: GntdevPriv;
}

/**
 * Opens the device. The file ends with its last reference: the descriptor's and those of its mappings.
 *
 * @param mode how the driver maps; default: as the kind of guest asks for
 */
export function gntdevOpen(
  kernel: XenLinux,
  mode: GntdevMode = kernel.guest.autoTranslated ? translated : ptemod,
): GntdevFile {
  const priv = new GntdevPriv(kernel, mode);
  const vmOps = gntdevVmOps(kernel);
  const file = new FileObject({
    name: "gntdev",
    ops: {
      name: "gntdev",
      mmap: (vma) => gntdevMmap(priv, vmOps, vma),
      release: () => gntdevRelease(priv),
    },
  });
  return { file, priv };
}

/** The file ends: its list of maps goes. @cite linux 6.1 drivers/xen/gntdev.c gntdev_release */
function gntdevRelease(priv: GntdevPriv): void {
  for (const map of priv.maps.splice(0)) gntdevPutMap(map);
}
