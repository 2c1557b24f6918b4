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
import { mapOnFault } from "./map_on_fault.ts";
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
  mode: GntdevMode = modeOf(kernel),
): GntdevFile {
  const priv = new GntdevPriv(kernel, mode);
  const vmOps = gntdevVmOps(kernel, mode);
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

/** As the guest is and the design wants it. @cite linux 6.1 drivers/xen/gntdev.c use_ptemod */
function modeOf({ guest, scheme }: XenLinux): GntdevMode {
  if (guest.autoTranslated) return translated;
  return scheme.mapsOnFault === true ? mapOnFault : ptemod;
}

/** The file ends: its list of maps goes. @cite linux 6.1 drivers/xen/gntdev.c gntdev_release */
function gntdevRelease(priv: GntdevPriv): void {
  for (const map of priv.maps.splice(0)) gntdevPutMap(map);
}
