/**
 * `linux7_1`: the design of Linux 4.0 under the name that it got in 6.18, since what it finds behind a special entry is
 * a normal page. `MADV_DOFORK` refuses such mappings now, so a fork cannot copy their entries any more.
 *
 * Two seams of mm changed on the way, both told by the patches' own words: long-term writable pins of pages whose file
 * system must hear of writes are refused (6.5), and private memory that was never touched is given back its commit
 * charge when it loses write access (6.7).
 *
 * @cite linux 7.1 mm/memory.c vm_normal_page
 * @cite list 2023-05 mm/gup: disallow FOLL_LONGTERM GUP-fast writing to file-backed mappings
 * @cite list 2023-06-26 mm/mprotect: allow unfaulted VMAs to be unaccounted on mprotect()
 * @module
 */

import { mm6_1 } from "../../mm/flavour_6_1.ts";
import { gupFastGeneric } from "../../mm/gup_fast/generic.ts";
import { VM_SPECIAL } from "../../mm/vm_flags.ts";
import type { KernelFlavour } from "../kernel_flavour.ts";
import { findSpecialPage } from "./find_special_page.ts";
import type { SchemeMaker } from "./scheme.ts";

/** The same look-up, renamed. */
export const findNormalPage: SchemeMaker = (kernel) => ({
  ...findSpecialPage(kernel),
  name: "find_normal_page",
});

/** Linux 7.1. */
export const linux7_1: KernelFlavour = Object.freeze({
  title: "Linux 7.1: find_normal_page",
  mm: Object.freeze({
    ...mm6_1,
    name: "linux7_1",
    gupFast: gupFastGeneric,
    gupFilePins: "memory files",
    keepsAccount: false,
    doforkRefuses: VM_SPECIAL,
  }),
  scheme: findNormalPage,
  cite: "linux 7.1 mm/memory.c vm_normal_page",
});
