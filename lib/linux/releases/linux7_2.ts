/**
 * Linux 7.2, as what it does otherwise than 6.1: what 6.12 brought and stayed, and its own.
 *
 * @module
 */

import { eitherMayLackAnonVma } from "../mm/mergeable.ts";
import { VM_SPECIAL } from "../mm/vm_flags.ts";
import { findNormalPage } from "../xen/foreign/find_normal_page.ts";
import { deriveFlavour, type KernelFlavour } from "../xen/kernel_flavour.ts";
import { linux6_1 } from "../xen/foreign/find_special_page.ts";
import { SINCE_6_12 } from "./linux6_12.ts";

/** Linux 7.2. */
export const linux7_2: KernelFlavour = deriveFlavour(
  linux6_1,
  { name: "linux7_2", title: "Linux 7.2: find_normal_page", cite: "linux 7.1 mm/memory.c vm_normal_page" },
  [
    ...SINCE_6_12,
    {
      rule:
        "pages that wait for their list are not put there before memory is unmapped, and are given back later",
      cite: "recorded linux7_2-xen4_20/costs.jsonl mremap_move_touched, madvise_dontneed_touched",
      mm: { lru: { batch: 31, drainsBeforeZap: false } },
    },
    {
      rule: "mprotect asks for the page behind every entry, to change entries of a large folio together",
      cite: "linux 7.2 mm/mprotect.c mprotect_folio_pte_batch",
      mm: { mprotectMeasuresRuns: true },
    },
    {
      rule: "mprotect takes each entry out and stores it anew, which costs a PV kernel what a move costs",
      cite: "recorded linux7_2-xen4_20/costs.jsonl mprotect_ro_touched, mremap_move_touched",
      mm: { mprotectTakesOut: true },
    },
    {
      rule:
        "a foreign frame behind an entry is looked for twice: what get_user_pages costs more than for own grants doubles",
      cite: "recorded linux7_2-xen4_20/costs.jsonl vmsplice_grant, process_vm_readv_1byte_per_page_grant",
      rules: { foreignLookUps: 2 },
    },
    {
      rule: "MADV_DOFORK refuses grant mappings",
      cite: "recorded linux7_2-xen4_20/grant-cases-pv.jsonl fork_dofork",
      mm: { doforkRefuses: VM_SPECIAL },
    },
    {
      rule: "a VMA whose pages nobody has written joins one that holds pages, whichever of the two changes",
      cite: "recorded linux7_2-xen4_20/vma-scripted.jsonl mlock-split",
      commit: "commit 879bca0a2c4f40b0 mm/vma: fix incorrectly disallowed anonymous VMA merges (6.16)",
      mm: { joinsAnonVma: eitherMayLackAnonVma },
    },
    {
      rule: "mremap checks its arguments, overlap included, before it looks for the source",
      cite: "linux 7.2 mm/mremap.c check_mremap_params",
      mremap: { looksUp: "after arguments" },
    },
    {
      rule: "mremap finds the source fit before it unmaps anything of the target",
      cite: "linux 7.2 mm/mremap.c check_prep_vma",
      mremap: { preparesFirst: true },
    },
    {
      rule: "mremap to a fixed place takes every VMA of the range along, if the size stays",
      cite: "linux 7.2 mm/mremap.c remap_move",
      commit: "list 2025-07 mm/mremap: permit mremap() move of multiple VMAs (6.17)",
      mremap: { moves: "all VMAs" },
    },
    {
      rule: "an anonymous VMA that MREMAP_DONTUNMAP leaves empty takes the page offset of its place",
      cite: "recorded linux7_2-xen4_20/vma-random.jsonl r1065",
      mremap: { dontunmapRenumbers: true },
    },
    {
      rule: "find_special_page is called find_normal_page",
      cite: "linux 7.1 mm/memory.c vm_normal_page",
      scheme: findNormalPage,
    },
  ],
);
