/**
 * Huge pages of 2 MiB that the administrator has set aside: the pool, and the nameless files behind MAP_HUGETLB. A
 * huge page is 512 `struct page`s of which only the first counts references and entries.
 *
 * Left out: 1 GiB pages, surplus pages (`nr_overcommit_hugepages`), the mounted hugetlbfs, memory control groups. A
 * forked child whose copy finds the pool empty gets SIGBUS; the parent in that place would take the page from the
 * child, and gets SIGBUS here as well.
 *
 * @cite linux 6.1 mm/hugetlb.c hugetlb_reserve_pages
 * @module
 */

import { type Errno, fail, ok, type SysResult } from "../../core/errno.ts";
import { PMD_SIZE, PTRS_PER_TABLE } from "../../core/geometry.ts";
import { type FileObject, FileObject as File, type FileOperations } from "./file.ts";
import type { MemMap } from "./page.ts";
import type { Vma } from "./vma.ts";
import { VM_DONTEXPAND, VM_HUGETLB, VM_MAYSHARE, VM_NORESERVE } from "./vm_flags.ts";
import { NO_PAGE, type VmOperations } from "./vm_ops.ts";

/** Pages of 4 KiB in a huge page. */
export const PAGES_PER_HUGE_PAGE: number = PTRS_PER_TABLE;

/** The huge pages of one kernel. @cite linux 6.1 include/linux/hugetlb.h hstate */
export class HugetlbPool {
  readonly #free: number[] = [];
  /** Free pages that are promised to mappings. @cite linux 6.1 include/linux/hugetlb.h resv_huge_pages */
  reserved = 0;

  /** Takes `nrPages` huge pages from memory that nobody has used. @throws {RangeError} if there is not so much */
  constructor(readonly memMap: MemMap, readonly nrPages: number) {
    if (nrPages === 0) return;
    const first = memMap.reserveHuge(nrPages, (page) => this.#free.push(page));
    for (let i = nrPages - 1; i >= 0; i--) this.#free.push(first + i * PAGES_PER_HUGE_PAGE);
  }

  /** Huge pages that nobody has. */
  get nrFree(): number {
    return this.#free.length;
  }

  /** Promises pages; false if there are not so many left. @cite linux 6.1 mm/hugetlb.c hugetlb_acct_memory */
  reserve(nrPages: number): boolean {
    if (this.nrFree - this.reserved < nrPages) return false;
    this.reserved += nrPages;
    return true;
  }

  /**
   * The first page of a huge page with one reference, or `NO_PAGE`.
   *
   * @param isPromised the page was reserved for the caller
   * @cite linux 6.1 mm/hugetlb.c alloc_huge_page
   */
  alloc(isPromised: boolean): number {
    if (!isPromised && this.nrFree <= this.reserved) return NO_PAGE;
    const page = this.#free.pop();
    if (page === undefined) return NO_PAGE;
    if (isPromised) this.reserved--;
    this.memMap.adopt(page);
    return page;
  }
}

/** What the file behind a mapping of huge pages knows. */
export interface HugetlbFile {
  readonly pool: HugetlbPool;
  /** Pages promised and not yet taken. */
  promised: number;
  /** Pages of shared mappings, by offset in huge pages. */
  readonly pages: Map<number, number>;
}

/** Cuts only between huge pages. @cite linux 6.1 mm/hugetlb.c hugetlb_vm_ops */
export const hugetlbVmOps: VmOperations = Object.freeze({
  name: "hugetlb",
  maySplit: (_vma: Vma, address: number): Errno | null => address % PMD_SIZE === 0 ? null : "EINVAL",
});

/** @cite linux 6.1 fs/hugetlbfs/inode.c hugetlbfs_file_operations */
export const hugetlbFileOperations: FileOperations = Object.freeze({
  name: "hugetlbfs",
  mmap(vma: Vma): Errno | null {
    vma.flags |= VM_HUGETLB | VM_DONTEXPAND;
    vma.ops = hugetlbVmOps;
    vma.privateData = RESERVATION_OWNER;
    if ((vma.flags & VM_NORESERVE) !== 0) return null;
    const data = hugetlbFileOf(vma);
    const nrPages = (vma.end - vma.start) / PMD_SIZE;
    if (!data.pool.reserve(nrPages)) return "ENOMEM";
    data.promised += nrPages;
    return null;
  },
  fsync: () => null,
  release(file: FileObject): void {
    const { pool, promised, pages } = file.privateData as HugetlbFile;
    pool.reserved -= promised;
    for (const page of pages.values()) pool.memMap.putPage(page);
  },
});

/** Mark of a VMA that may use the promise; a forked child has it not. @cite linux 6.1 mm/hugetlb.c HPAGE_RESV_OWNER */
export const RESERVATION_OWNER = "reservation owner";

/** What the file of a huge mapping knows. */
export function hugetlbFileOf(vma: Vma): HugetlbFile {
  return vma.file!.privateData as HugetlbFile;
}

/** Which size MAP_HUGETLB asks for: bits of a page size, 0 for the default. @cite linux 6.1 include/uapi/asm-generic/hugetlb_encode.h HUGETLB_FLAG_ENCODE_SHIFT */
const SIZE_SHIFT = 26;
const DEFAULT_SIZES: readonly number[] = [0, 21];

/**
 * The nameless file for MAP_HUGETLB, and the length in whole huge pages.
 *
 * @returns EINVAL without huge pages of that size
 * @cite linux 6.1 mm/mmap.c ksys_mmap_pgoff
 */
export function hugetlbFileSetup(
  pool: HugetlbPool | null,
  length: number,
  mapFlags: number,
): SysResult<{ file: FileObject; length: number }> {
  if (pool === null || !DEFAULT_SIZES.includes(mapFlags >>> SIZE_SHIFT & 0x3f)) return fail("EINVAL");
  const data: HugetlbFile = { pool, promised: 0, pages: new Map() };
  const file = new File({ name: "anon_hugepage", ops: hugetlbFileOperations, privateData: data });
  return ok({ file, length: Math.ceil(length / PMD_SIZE) * PMD_SIZE });
}

/** True if mappings of the file are of huge pages. @cite linux 6.1 include/linux/hugetlb.h is_file_hugepages */
export function isHugetlbFile(file: FileObject): boolean {
  return file.ops === hugetlbFileOperations;
}

/** True if the pages of the mapping are its own. */
export function isPrivateHuge(vma: Vma): boolean {
  return (vma.flags & VM_MAYSHARE) === 0;
}
