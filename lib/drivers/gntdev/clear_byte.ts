/**
 * The byte that is cleared when its page is unmapped. The kernel writes it through its own mapping of the grant; if
 * that one is read-only the write faults, in the kernel.
 *
 * @cite linux 6.1 drivers/xen/gntdev.c __unmap_grant_pages
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { UNMAP_NOTIFY_CLEAR_BYTE } from "../unmap_notify.ts";
import type { GrantMap } from "./grant_map.ts";

/**
 * Clears the byte if its page is among `count` from `first` on; the wish is fulfilled then.
 *
 * @throws {KernelBug} if the kernel cannot write there
 */
export function clearNotifyByte(map: GrantMap, first: number, count: number): void {
  const { flags, addr } = map.notify;
  if ((flags & UNMAP_NOTIFY_CLEAR_BYTE) === 0) return;
  const slot = Math.floor(addr / PAGE_SIZE);
  if (slot < first || slot >= first + count) return;
  const { kernel } = map;
  const page = map.pages[slot]!;
  if (!kernel.guest.kernelWrite8(kernel, page, addr % PAGE_SIZE, 0)) {
    const at = hex(kernel.kernelAddress(page));
    kernel.system.printk("oops", "__unmap_grant_pages", `unable to handle page fault for address ${at}`);
    const why = `the kernel's mapping of the grant at ${at} cannot be written`;
    throw new KernelBug("__unmap_grant_pages", "unable to handle kernel page fault", why);
  }
  map.notify = { ...map.notify, flags: flags & ~UNMAP_NOTIFY_CLEAR_BYTE };
}
