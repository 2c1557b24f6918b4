/**
 * `lazy_fault`: `find_special_page` with one change that was proposed for gntdev in 2014 and turned down: a grant is
 * mapped when its page is first faulted on, not when the range is. Meant for programs that hand pages on and never
 * touch them; but what hands pages on is `get_user_pages`, and that needs entries, so it faults on every page itself.
 *
 * ```text
 * at mmap      one list of n operations each half            2 hypercalls, n pages
 * on fault     a list of one each half, for each page        2 hypercalls and a fault, 1 page
 * ```
 *
 * Nothing here was ever merged: the driver's half of it (`drivers/gntdev/map_on_fault.ts`) is this project's own.
 *
 * @cite list 2014-10 xen-devel, the reply to draft B of the grant mapping proposal
 * @module
 */

import type { KernelFlavour } from "../kernel_flavour.ts";
import { findSpecialPage, linux6_1 } from "./find_special_page.ts";
import type { SchemeMaker } from "./scheme.ts";

/** The design of Linux 4.0, grants mapped page by page as they are touched. */
export const lazyFault: SchemeMaker = (kernel) => ({
  ...findSpecialPage(kernel),
  name: "map on fault",
  mapsOnFault: true,
});

/** Linux 6.1 with it. */
export const lazy_fault: KernelFlavour = Object.freeze({
  ...linux6_1,
  title: "Linux 6.1, grants mapped on fault: turned down in 2014",
  scheme: lazyFault,
  cite: "list 2014-10 xen-devel, the reply to draft B of the grant mapping proposal",
});
