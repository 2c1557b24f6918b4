/**
 * Rules of Linux on Xen, outside of `mm/`, that releases do not share.
 *
 * @module
 */

import type { GuestKind } from "./guest_kind.ts";

/** One choice per rule. */
export interface KernelRules {
  /** A private mapping of grants, read-only as it must be, may be asked to become writable later. */
  readonly privateGrantsMayWrite: boolean;
  /** Kinds of guest in which pages for foreign frames are device memory; elsewhere they are ballooned out. */
  readonly deviceMemoryOn: readonly GuestKind["name"][];
  /** move_pages tells the node of a page of device memory, too. */
  readonly tellsNodeOfDeviceMemory: boolean;
  /** Giving back the last reference of a page of device memory that its owner still counts on is reported. */
  readonly reportsReleasedDeviceMemory: boolean;
  /** A ring of io_uring may give its fixed buffers back some time after it was closed. */
  readonly ringsMayCloseLate: boolean;
  /** After an oops in a system call the process is killed and the machine goes on; else the process never ends. */
  readonly oopsEndsProcess: boolean;
  /** How often a frame that is not the guest's own is looked for in the p2m before its number is taken. */
  readonly foreignLookUps: number;
}

/**
 * Linux 6.1.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c gntdev_mmap
 * @cite linux 6.1 drivers/xen/unpopulated-alloc.c fill_list
 * @cite linux 6.1 mm/migrate.c do_pages_stat_array
 */
export const rules6_1: KernelRules = Object.freeze<KernelRules>({
  privateGrantsMayWrite: true,
  deviceMemoryOn: Object.freeze<GuestKind["name"][]>(["pv", "pvh"]),
  tellsNodeOfDeviceMemory: false,
  reportsReleasedDeviceMemory: false,
  ringsMayCloseLate: false,
  oopsEndsProcess: false,
  foreignLookUps: 1,
});
