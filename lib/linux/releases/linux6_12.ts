/**
 * Linux 6.12, as what it does otherwise than 6.1. Each rule is as recorded; where a commit is known it is named.
 *
 * @module
 */

import { deriveFlavour, type FlavourDifference } from "../xen/kernel_flavour.ts";
import type { KernelFlavour } from "../xen/kernel_flavour.ts";
import { linux6_1 } from "../xen/foreign/find_special_page.ts";

/** What 6.12 and later releases do. */
export const SINCE_6_12: readonly FlavourDifference[] = Object.freeze<FlavourDifference[]>([
  {
    rule:
      "a new mapping between two VMAs that it could join, but that cannot all become one, joins the one before",
    cite: "recorded linux6_12-xen4_20/vma-scripted.jsonl anon-merge-after-touch-both-separately",
    mm: { mergeNewPrefers: "prev" },
  },
  {
    rule:
      "private anonymous memory that loses the right to write before it was written to is not accounted for any more",
    cite: "recorded linux6_12-xen4_20/vma-scripted.jsonl mprotect-middle-split-merge-back",
    mm: { keepsAccount: false },
  },
  {
    rule:
      "a change of the VMA tree sets aside the nodes that it needs, mostly one, not those of the worst case",
    cite: "linux 6.12 lib/maple_tree.c mas_prealloc_calc",
    mm: { treeNodes: 1 },
  },
  {
    rule: "new pages wait for their list by 31, not by 15",
    cite: "linux 6.12 include/linux/pagevec.h PAGEVEC_SIZE",
    mm: { lru: { batch: 31, drainsBeforeZap: true } },
  },
  {
    rule: "VmFlags has letters for VM_LOCKONFAULT, lf",
    cite: "recorded linux6_12-xen4_20/vma-scripted.jsonl mlock2-onfault",
    mm: { lockOnFaultLetters: "lf" },
  },
  {
    rule:
      "get_user_pages itself looks at files of long-term pins, so io_uring takes fixed buffers in grant mappings",
    cite: "linux 6.12 mm/gup.c writable_file_mapping_allowed",
    commit: "list 2023-05-17 io_uring: rsrc: delegate VMA file-backed check to GUP",
    mm: { gupFilePins: "memory files" },
  },
  {
    rule: "a count of mappings below zero is no bad page map any more",
    cite: "recorded linux6_12-xen4_20/grant-cases-pv.jsonl buffered_io",
    mm: { reportsMapcount: false },
  },
]);

/** Linux 6.12. */
export const linux6_12: KernelFlavour = deriveFlavour(
  linux6_1,
  {
    name: "linux6_12",
    title: "Linux 6.12: find_special_page",
    cite: "linux 6.12 mm/memory.c vm_normal_page",
  },
  [
    ...SINCE_6_12,
    {
      rule: "a private mapping of grants may never become writable",
      cite: "recorded linux6_12-xen4_20/grant-cases-pv.jsonl mmap_variants",
      rules: { privateGrantsMayWrite: false },
    },
    {
      rule: "releasing the last reference of a page for foreign frames is reported",
      cite: "recorded linux6_12-xen4_20/grant-cases-pv.jsonl buffered_io",
      rules: { reportsReleasedDeviceMemory: true },
    },
    {
      rule: "a closed io_uring may hold its fixed buffers for a while",
      cite: "recorded linux6_12-xen4_20/grant-cases-pv.jsonl longterm_pin",
      rules: { ringsMayCloseLate: true },
    },
    {
      rule: "on PVH, pages for foreign frames are not device memory",
      cite: "recorded linux6_12-xen4_20/grant-cases-pvh.jsonl move_pages",
      rules: { deviceMemoryOn: ["pv"] },
    },
  ],
);
