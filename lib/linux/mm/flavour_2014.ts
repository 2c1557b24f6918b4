/**
 * The choices of Linux in the time of the debate (3.15 to 4.x) in common mm code: the walker that looks at raw flags
 * first, and EFAULT for an entry without a page.
 *
 * Which VMA is the new one when munmap cuts is as in 6.1. Merge rules are those of 6.1, too: nothing here depends on
 * where they differ (README.md of this layer).
 *
 * @cite linux 3.19 arch/x86/mm/gup.c gup_pte_range
 * @cite linux 3.19 mm/gup.c follow_page_pte
 * @cite linux 3.19 mm/mmap.c do_munmap
 * @module
 */

import type { MmFlavour } from "./flavour.ts";
import { mm6_1 } from "./flavour_6_1.ts";
import { x86GupFast2014 } from "./gup_fast/x86_2014.ts";

/** mm of 2014. */
export const mm2014: Omit<MmFlavour, "foreign"> = Object.freeze({
  ...mm6_1,
  name: "mm of 2014",
  gupFast: x86GupFast2014,
  gupNoPage: "EFAULT",
});
