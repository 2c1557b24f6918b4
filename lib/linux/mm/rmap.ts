/**
 * Who maps a page, and one page at a glance. Linux walks from the page through its anon_vma or its file; here every
 * address space is looked through, which answers the same.
 *
 * @cite linux 6.1 mm/rmap.c rmap_walk
 * @module
 */

import { PAGE_SIZE, PMD_SIZE } from "../../core/geometry.ts";
import { wholeNumber } from "../../core/misuse.ts";
import { hex } from "../../core/show.ts";
import { textView } from "../../core/views.ts";
import { _PAGE_RW } from "../../x86/pte.ts";
import { forEachHugePage } from "./hugetlb_fault.ts";
import { vmNormalPage } from "./memory.ts";
import type { MmStruct } from "./mm_struct.ts";
import type { MmSystem } from "./mm_system.ts";
import {
  GUP_PIN_COUNTING_BIAS,
  PG_anon,
  PG_anon_exclusive,
  PG_dirty,
  PG_foreign,
  PG_lazyfree,
  PG_referenced,
  PG_reserved,
} from "./page.ts";
import { forEachPresentPte } from "./page_range.ts";
import { rawFrame } from "./pgtable.ts";
import type { Vma } from "./vma.ts";
import { VM_HUGETLB } from "./vm_flags.ts";

/** One entry that maps a page. */
export interface PageMapping {
  readonly mm: MmStruct;
  readonly vma: Vma;
  readonly address: number;
  readonly isWritable: boolean;
}

/**
 * Every entry of every living address space that `vm_normal_page` takes for this page.
 *
 * @throws {RangeError} if the page has no struct
 *
 * @example
 * ```ts
 * import { forkMm, MAP_ANONYMOUS, MAP_PRIVATE, mmap, nativeLinux, userAccess, whoMaps } from "grantlab/linux/mm";
 * const { system, process } = nativeLinux();
 * const mm = process();
 * const at = mmap(mm, { length: 4096, prot: 3, flags: MAP_PRIVATE | MAP_ANONYMOUS });
 * if (at.ok) userAccess(mm, 0, at.value, "w", 1);
 * forkMm(mm);
 * const page = [...system.memMap.mapcount].findIndex((count) => count === 1);
 * if (whoMaps(system, page).length !== 2) throw new Error();
 * ```
 */
export function whoMaps(system: MmSystem, page: number): PageMapping[] {
  wholeNumber("look up who maps page", page, 0, system.memMap.nrPages - 1);
  const found: PageMapping[] = [];
  const head = system.memMap.compoundHead(page);
  for (const mm of system.addressSpaces) {
    for (const vma of mm.vmas) {
      const see = (address: number, slot: number, flags: number) => {
        if (vmNormalPage(vma, address, rawFrame(system, slot), flags) !== head) return;
        found.push({
          mm,
          vma,
          address: address + (page - head) * PAGE_SIZE,
          isWritable: (flags & _PAGE_RW) !== 0,
        });
      };
      if ((vma.flags & VM_HUGETLB) !== 0) forEachHugePage(mm, vma.start, vma.end + PMD_SIZE - 1, see);
      else forEachPresentPte(mm, vma.start, vma.end, see);
    }
  }
  return found;
}

/** One `struct page`, for people. */
export interface PageView {
  readonly pfn: number;
  readonly refcount: number;
  readonly mapcount: number;
  /** References in units of 1024. */
  readonly pins: number;
  /** Names of the flags that are set. */
  readonly flags: readonly string[];
}

const FLAG_NAMES: readonly (readonly [bit: number, name: string])[] = [
  [PG_reserved, "reserved"],
  [PG_dirty, "dirty"],
  [PG_referenced, "referenced"],
  [PG_anon, "anon"],
  [PG_anon_exclusive, "anon_exclusive"],
  [PG_foreign, "foreign"],
  [PG_lazyfree, "lazyfree"],
];

/** One page at a glance; of a huge page, what its first page counts. @throws {RangeError} if the page has no struct */
export function pageView(system: MmSystem, page: number): PageView {
  const { memMap } = system;
  wholeNumber("show page", page, 0, memMap.nrPages - 1);
  const head = memMap.compoundHead(page);
  const refcount = memMap.refcount[head]!;
  const mapcount = memMap.pageMapcount(head);
  const pins = Math.floor(refcount / GUP_PIN_COUNTING_BIAS);
  const flags = FLAG_NAMES.filter(([bit]) => (memMap.flags[head]! & bit) !== 0).map(([, name]) => name);
  const text = `page ${hex(page)}: ${refcount} references, ${mapcount} entries, ${pins} pins, ${
    flags.join(" ") || "no flags"
  }`;
  return Object.defineProperty({ pfn: page, refcount, mapcount, pins, flags }, textView, {
    value: () => text,
  });
}
