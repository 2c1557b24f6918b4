/**
 * `vm_operations_struct`: what the owner of a mapping may have a say in. An absent member means what it means in
 * Linux.
 *
 * @cite linux 6.1 include/linux/mm.h vm_operations_struct
 * @module
 */

import type { Errno } from "../../core/errno.ts";
import type { Vma } from "./vma.ts";

/** What a `fault` operation answers: the page to map, or why there is none. */
export type VmFault = { readonly kind: "page"; readonly page: number } | {
  readonly kind: "SIGBUS" | "OOM" | "mapped";
};

/** Answer of a look-up that finds nothing: C's NULL page. */
export const NO_PAGE = -1;

/** Answer of a look-up that is not there at all, so that the next rule decides. */
export const NOT_SUPPLIED = -2;

/** The operations of one kind of mapping. */
export interface VmOperations {
  /** How listings name the mapping. */
  readonly name: string;
  /** Secret memory: no kernel access at all. @cite linux 6.1 include/linux/secretmem.h vma_is_secretmem */
  readonly isSecret?: boolean;
  /** The file system must hear of writes. @cite linux 6.12 mm/gup.c writable_file_mapping_allowed */
  readonly isDirtyTracked?: boolean;
  /** After a VMA was duplicated (split, fork, move). In a split the old one still has its old bounds. */
  open?(vma: Vma): void;
  /** Before a VMA goes. Its presence keeps the VMA from being merged away. */
  close?(vma: Vma): void;
  /** Before a split; an errno forbids it. */
  maySplit?(vma: Vma, address: number): Errno | null;
  /**
   * Fills a page that is not there. A page is answered with one reference, which goes to the entry that maps it. An
   * absent member means SIGBUS. @cite linux 6.1 mm/memory.c do_read_fault
   */
  fault?(vma: Vma, address: number, write: boolean): VmFault;
  /**
   * The page at this offset (in pages) if it can be mapped without waiting, else {@linkcode NO_PAGE}; no reference is
   * taken. Its presence turns fault-around on. @cite linux 6.1 mm/filemap.c filemap_map_pages
   */
  mapPage?(vma: Vma, pgoff: number): number;
  /** The page behind a special entry, or {@linkcode NO_PAGE}. Linux 4.0 to 6.17; later `find_normal_page`. */
  findSpecialPage?(vma: Vma, address: number): number;
}
