/**
 * The two ways in which gntdev maps, chosen once when the driver starts: on a PV guest Xen writes the program's page
 * table entries, on a translated one the grants appear in guest-physical memory and the pages are ordinary ones.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c use_ptemod
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import type { Vma } from "../../linux/mm/vma.ts";
import type { VmFault } from "../../linux/mm/vm_ops.ts";
import type { UnmapBatch } from "../../linux/xen/foreign/kernel_half.ts";
import type { GrantMap } from "./grant_map.ts";

/** Grants to unmap, without a hole, and what to do when it has happened. */
export interface UnmapRun {
  readonly batch: UnmapBatch;
  readonly done: () => void;
}

/** What depends on the way. */
export interface GntdevMode {
  readonly name: string;
  /** Flags that every VMA gets besides the common ones. */
  readonly vmFlags: number;
  /** Maps the grants and shows them in the VMA; null or the errno. */
  map(map: GrantMap, vma: Vma): Errno | null;
  /** A page that is not there is faulted on; absent: nothing can be mapped any more. */
  fault?(map: GrantMap, slot: number): VmFault;
  /** `map` has failed: what is undone at once. */
  undo(map: GrantMap): void;
  /** Unmaps a run of the map, now or when its pages are free. */
  unmap(map: GrantMap, run: UnmapRun): void;
  /** The last user has gone: what has to be unmapped first. Takes a user itself if that has to wait. */
  lastUser(map: GrantMap): void;
}
