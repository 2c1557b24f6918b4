/**
 * Memory files: memfd, and the nameless file behind shared anonymous memory.
 *
 * Left out: swap, seals, huge pages, size limits of a mount.
 *
 * @cite linux 6.1 mm/shmem.c shmem_fault
 * @module
 */

import { unmapMappingRange } from "./unmap_mapping.ts";
import { wholeNumber } from "../../core/misuse.ts";
import { FileObject, type FileOperations } from "./file.ts";
import type { MmSystem } from "./mm_system.ts";
import { PageCache } from "./page_cache.ts";
import { linearPageIndex } from "./page_index.ts";
import type { Vma } from "./vma.ts";
import { NO_PAGE, type VmFault, type VmOperations } from "./vm_ops.ts";

/** Operations of a mapping of a memory file. @cite linux 6.1 mm/shmem.c shmem_vm_ops */
export const shmemVmOps: VmOperations = Object.freeze({
  name: "shmem",
  fault(vma: Vma, address: number): VmFault {
    const cache = vma.file!.pageCache!;
    const pgoff = linearPageIndex(vma, address);
    if (pgoff >= cache.nrPages) return { kind: "SIGBUS" };
    const page = cache.findOrAdd(pgoff);
    if (page === NO_PAGE) return { kind: "OOM" };
    cache.system.memMap.getPage(page);
    return { kind: "page", page };
  },
  mapPage(vma: Vma, pgoff: number): number {
    const cache = vma.file!.pageCache!;
    return pgoff < cache.nrPages ? cache.find(pgoff) : NO_PAGE;
  },
});

/** Operations of a memory file. @cite linux 6.1 mm/shmem.c shmem_file_operations */
export const shmemFileOperations: FileOperations = Object.freeze({
  name: "shmem",
  mmap(vma: Vma) {
    vma.ops = shmemVmOps;
    return null;
  },
  fsync: () => null,
  punchHole(file: FileObject, first: number, end: number) {
    const cache = file.pageCache!;
    unmapMappingRange(cache, first, end);
    cache.remove(first, end);
    return null;
  },
});

/**
 * A memory file with one reference, that of its descriptor: close it with `fput`.
 *
 * @param nrPages size in pages
 * @throws {RangeError} if the size is not a whole number below 2^51
 * @cite linux 6.1 mm/memfd.c memfd_create
 */
export function memfdCreate(system: MmSystem, name: string, nrPages: number): FileObject {
  wholeNumber("make a memory file of pages", nrPages, 0, 2 ** 51);
  return new FileObject({ name, ops: shmemFileOperations, pageCache: new PageCache(system, nrPages) });
}

/** Turns a new shared anonymous VMA into a mapping of a nameless file. @cite linux 6.1 mm/shmem.c shmem_zero_setup */
export function shmemZeroSetup(vma: Vma): void {
  vma.file = memfdCreate(vma.mm.system, "shmem", vma.nrPages);
  vma.ops = shmemVmOps;
}
