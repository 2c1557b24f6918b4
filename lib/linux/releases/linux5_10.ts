/**
 * Linux 5.10, as what it does otherwise than 6.1.
 *
 * @module
 */

import { MADV } from "../mm/madvise_names.ts";
import { deriveFlavour, type KernelFlavour } from "../xen/kernel_flavour.ts";
import { linux6_1 } from "../xen/foreign/find_special_page.ts";

/** Linux 5.10. */
export const linux5_10: KernelFlavour = deriveFlavour(
  linux6_1,
  {
    name: "linux5_10",
    title: "Linux 5.10: find_special_page",
    cite: "linux 5.10 mm/memory.c vm_normal_page",
  },
  [
    {
      rule:
        "a new mapping between two VMAs that it could join, but that cannot all become one, joins the one before",
      cite: "recorded linux5_10-xen4_14/vma-scripted.jsonl anon-merge-after-touch-both-separately",
      mm: { mergeNewPrefers: "prev" },
    },
    {
      rule: "VMAs are nodes of a red-black tree, which needs no memory to be changed",
      cite: "linux 5.10 include/linux/mm_types.h mm_struct mm_rb",
      commit: "list 2022-09-06 mm: remove rb tree (6.1)",
      mm: { treeNodes: 0 },
    },
    {
      rule: "mprotect owes the TLBs a range of its own, without the batch of munmap",
      cite: "linux 5.10 mm/mprotect.c change_protection_range",
      mm: { mprotectBatches: false },
    },
    {
      rule: "mremap in place does not join the VMA that it comes to touch",
      cite: "recorded linux5_10-xen4_14/vma-scripted.jsonl mremap-grow-blocked",
      commit: "commit ca3d76b0aa808a06 mm: add merging after mremap resize (6.0)",
      mremap: { growthMerges: false },
    },
    {
      rule: "mremap looks for the source only when it needs it: target or tail may be unmapped by then",
      cite: "recorded linux5_10-xen4_14/vma-scripted.jsonl mremap-unmapped",
      mremap: { looksUp: "when needed" },
    },
    {
      rule: "mremap leaves huge pages alone",
      cite: "linux 5.10 mm/mremap.c vma_to_resize",
      mremap: { takesHugePages: false },
    },
    {
      rule: "MREMAP_DONTUNMAP takes private anonymous memory only",
      cite: "recorded linux5_10-xen4_14/vma-scripted.jsonl mremap-dontunmap-file",
      commit: "commit a4609387859f0281 mm: Extend MREMAP_DONTUNMAP to non-anonymous mappings (5.13)",
      mremap: { dontunmapTakes: "private anonymous" },
    },
    {
      rule: "MREMAP_DONTUNMAP takes the lock from the whole old VMA",
      cite: "recorded linux5_10-xen4_14/vma-random.jsonl MREMAP_DONTUNMAP of locked memory",
      mremap: { dontunmapUnlocks: "VMA" },
    },
    {
      rule: "MREMAP_DONTUNMAP to the next place: old and new part may join",
      cite: "recorded linux5_10-xen4_14/vma-random.jsonl MREMAP_DONTUNMAP to an adjacent place",
      mremap: { dontunmapMerges: true },
    },
    {
      rule:
        "madvise has nothing newer than MADV_PAGEOUT: no POPULATE_READ, POPULATE_WRITE, DONTNEED_LOCKED, COLLAPSE",
      cite: "recorded linux5_10-xen4_14/grant-cases-pv.jsonl madvise",
      commit:
        "commit 4ca9b3859dac14bb mm/madvise: introduce MADV_POPULATE_(READ|WRITE) to prefault page tables (5.14)",
      mm: { highestAdvice: MADV.PAGEOUT },
    },
    {
      rule: "mlock2(MLOCK_ONFAULT) of memory without rights answers ENOMEM; it is locked all the same",
      cite: "recorded linux5_10-xen4_14/vma-random.jsonl MLOCK_ONFAULT over PROT_NONE",
      mm: { onFaultChecksRights: true },
    },
    {
      rule: "move_pages tells the node of pages for foreign frames",
      cite: "recorded linux5_10-xen4_14/grant-cases-pv.jsonl move_pages",
      rules: { tellsNodeOfDeviceMemory: true },
    },
    {
      rule: "an oops in munmap kills the process and the machine goes on",
      cite: "recorded linux5_10-xen4_14/grant-cases-pv.jsonl notify_ro",
      rules: { oopsEndsProcess: true },
    },
  ],
);
