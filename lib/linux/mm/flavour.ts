/**
 * The choices that one Linux release or one design makes inside `mm/`: a record with one member per seam. Built as
 * data in `lib/linux/flavours.ts`; nothing below asks for a flavour's name.
 *
 * @module
 */

import type { LruRules } from "./lru_batch.ts";
import type { Errno } from "../../core/errno.ts";
import type { GupFastWalker } from "./gup_fast/walker.ts";
import type { AnonVmaRule } from "./mergeable.ts";
import type { Vma } from "./vma.ts";

/** What a design for foreign pages puts into common mm code. The shorter, the less it intrudes. */
export interface MmForeignHooks {
  /** Words it adds to every VMA of every process: memory that all pay for, used or not. */
  readonly vmaWords: number;
  /**
   * In `vm_normal_page`, for a special entry: the page, `NO_PAGE`, or `NOT_SUPPLIED` for the next rule.
   * `address` is page aligned.
   */
  specialPage(vma: Vma, address: number): number;
  /** In the slow `get_user_pages`, before rights are looked at: the page, `NO_PAGE` or `NOT_SUPPLIED`. */
  pageBeforeChecks(vma: Vma, address: number): number;
  /** In the slow `get_user_pages`, before anything faults: the page or `NOT_SUPPLIED`. */
  pageBeforeFault(vma: Vma, address: number): number;
  /**
   * In `__split_vma`, after the copy and before the bounds of the old VMA change. `address` is where the cut is;
   * `newBelow` tells whether the new VMA is the lower part.
   */
  splitVma(vma: Vma, copy: Vma, address: number, newBelow: boolean): void;
}

/** Which piece of a cut is the new VMA, when `munmap` cuts. */
export interface MunmapSplit {
  /** Cut at the start of the range: is the new VMA the lower piece? */
  readonly startNewBelow: boolean;
  /** Cut at the end of the range: is the new VMA the lower piece? */
  readonly endNewBelow: boolean;
}

/** The rules of mremap that releases do not share. */
export interface MremapRules {
  /** When the source is looked for first: before the other arguments count, after that, or only where it is needed. */
  readonly looksUp: "first" | "after arguments" | "when needed";
  /** With a chosen target: the source must be fit to be moved before anything of the target is unmapped. */
  readonly preparesFirst: boolean;
  /** A move that changes no size takes every VMA of the range along, or only the first. */
  readonly moves: "all VMAs" | "one VMA";
  /** A VMA that grows until it touches the next one joins it, if they go together. */
  readonly growthMerges: boolean;
  /** Huge pages of hugetlb can be moved and shrunk. */
  readonly takesHugePages: boolean;
  /** What MREMAP_DONTUNMAP takes: private anonymous memory, or whatever may change its size. */
  readonly dontunmapTakes: "private anonymous" | "resizable";
  /** After MREMAP_DONTUNMAP to the next place, old and new part may be one VMA. */
  readonly dontunmapMerges: boolean;
  /** An anonymous VMA that MREMAP_DONTUNMAP leaves empty takes the page offset of its place, as if new. */
  readonly dontunmapRenumbers: boolean;
  /** Whose lock MREMAP_DONTUNMAP takes away: the whole old VMA's, or that of the range. */
  readonly dontunmapUnlocks: "VMA" | "range";
}

/** The seams of mm. */
export interface MmFlavour {
  readonly name: string;
  readonly gupFast: GupFastWalker;
  /** The architecture has a bit for special entries; x86 has. @cite linux 6.1 mm/Kconfig ARCH_HAS_PTE_SPECIAL */
  readonly hasPteSpecial: boolean;
  /**
   * Long-term writable pins: of pages of any file, whatever the caller thinks of it, or only of files that need not hear
   * of writes.
   */
  readonly gupFilePins: "any file" | "memory files";
  /** What the slow GUP path answers for an entry without a page: EFAULT once, EEXIST later. */
  readonly gupNoPage: Errno;
  readonly munmapSplit: MunmapSplit;
  /** A count of mappings below zero is a bad page map; where it counts as a type of page, nobody hears of it. */
  readonly reportsMapcount: boolean;
  /** A new mapping between two VMAs that it could join, but that cannot all become one, joins this one. */
  readonly mergeNewPrefers: "prev" | "next";
  /** Which anonymous pages a range and the VMA next to it may have, if they are to become one. */
  readonly joinsAnonVma: AnonVmaRule;
  readonly mremap: MremapRules;
  /** The highest advice below the injected failures. */
  readonly highestAdvice: number;
  /** Locking as pages come asks for the right to access them. */
  readonly onFaultChecksRights: boolean;
  /** What VmFlags calls VM_LOCKONFAULT. */
  readonly lockOnFaultLetters: "??" | "lf";
  /** Private anonymous memory that loses the right to write before anything was written: does it stay accounted for? */
  readonly keepsAccount: boolean;
  /** VM_* flags of VMAs that MADV_DOFORK refuses. */
  readonly doforkRefuses: number;
  /** mprotect gathers what it owes the TLBs as munmap does, or only as a range. */
  readonly mprotectBatches: boolean;
  /** mprotect looks for the page behind every entry, to change a run of entries of one folio together. */
  readonly mprotectMeasuresRuns: boolean;
  /** mprotect takes an entry out and stores it anew; or it changes it in place, which under Xen is one update. */
  readonly mprotectTakesOut: boolean;
  /** Nodes that are set aside before a change of the tree of VMAs: none where it is a red-black tree. */
  readonly treeNodes: number;
  readonly lru: LruRules;
  readonly foreign: MmForeignHooks;
}
