/**
 * The choices of Linux 6.1 in common mm code, as data. The fast walker and the foreign-page design are added by
 * whoever assembles a kernel.
 *
 * @module
 */

import type { MmFlavour, MremapRules } from "./flavour.ts";
import { MADV } from "./madvise_names.ts";
import { onlyRangeMayLackAnonVma } from "./mergeable.ts";
import { VM_IO } from "./vm_flags.ts";

/**
 * Linux 6.1.
 *
 * `munmapSplit`: the cut at the start makes the upper piece new, the cut at the end the lower one.
 * `mergeNewPrefers`: a new mapping that could join both neighbours, which cannot join each other, joins the next.
 *
 * @cite linux 6.1 mm/mmap.c do_mas_align_munmap
 * @cite linux 6.1 mm/mmap.c mmap_region
 * @cite linux 6.1 mm/gup.c follow_pfn_pte
 * @cite recorded vma-scripted.jsonl anon-merge-after-touch-both-separately
 */
export const mm6_1: Omit<MmFlavour, "gupFast" | "foreign"> = Object.freeze({
  name: "linux6_1",
  hasPteSpecial: true,
  gupFilePins: "any file",
  gupNoPage: "EEXIST",
  munmapSplit: Object.freeze({ startNewBelow: false, endNewBelow: true }),
  reportsMapcount: true,
  mergeNewPrefers: "next",
  joinsAnonVma: onlyRangeMayLackAnonVma,
  mremap: Object.freeze<MremapRules>({
    looksUp: "first",
    preparesFirst: false,
    moves: "one VMA",
    growthMerges: true,
    takesHugePages: true,
    dontunmapTakes: "resizable",
    dontunmapMerges: false,
    dontunmapRenumbers: false,
    dontunmapUnlocks: "range",
  }),
  highestAdvice: MADV.COLLAPSE,
  onFaultChecksRights: false,
  lockOnFaultLetters: "??",
  keepsAccount: true,
  doforkRefuses: VM_IO,
  mprotectBatches: true,
  mprotectMeasuresRuns: false,
  mprotectTakesOut: false,
  treeNodes: 7,
  lru: Object.freeze({ batch: 15, drainsBeforeZap: true }),
});
