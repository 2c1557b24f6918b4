/**
 * Linux memory management: address spaces, VMAs, faults, `get_user_pages`. Knows nothing of Xen. Start with
 * `native.ts` for a machine to try things on, `mmap.ts`, `split.ts` and `merge.ts` for VMAs, `fault.ts` for pages,
 * `memory.ts` and `gup.ts` for what foreign pages change.
 *
 * @module
 */

export * from "./anon_vma.ts";
export * from "./brk.ts";
export * from "./exit.ts";
export * from "./expand_stack.ts";
export * from "./fault.ts";
export * from "./fault_file.ts";
export * from "./file.ts";
export * from "./find_vma.ts";
export * from "./flavour.ts";
export * from "./flavour_2014.ts";
export * from "./flavour_6_1.ts";
export * from "./foreign_none.ts";
export * from "./fork.ts";
export * from "./gup.ts";
export * from "./gup_fast/generic.ts";
export * from "./gup_fast/none.ts";
export * from "./gup_fast/walker.ts";
export * from "./gup_fast/x86_2014.ts";
export * from "./gup_flags.ts";
export { referencesOf } from "./gup_slow.ts";
export * from "./hugetlb.ts";
export * from "./hugetlb_fault.ts";
export * from "./insert_page.ts";
export * from "./last_call.ts";
export * from "./lru_batch.ts";
export * from "./madvise.ts";
export * from "./memory.ts";
export * from "./merge.ts";
export * from "./mergeable.ts";
export * from "./mm_struct.ts";
export * from "./mm_system.ts";
export * from "./mincore.ts";
export * from "./mlock.ts";
export * from "./mmap.ts";
export * from "./mmap_region.ts";
export * from "./mmu_notifier.ts";
export * from "./mprotect.ts";
export * from "./mremap.ts";
export * from "./msync.ts";
export * from "./munmap.ts";
export * from "./native.ts";
export * from "./page.ts";
export * from "./page_cache.ts";
export * from "./page_index.ts";
export * from "./page_prot.ts";
export * from "./page_range.ts";
export * from "./paravirt.ts";
export * from "./pgtable.ts";
export * from "./pkeys.ts";
export * from "./populate.ts";
export * from "./proc.ts";
export * from "./prot.ts";
export * from "./rmap.ts";
export * from "./shmem.ts";
export * from "./split.ts";
export * from "./tlb_gather.ts";
export * from "./unmap_mapping.ts";
export * from "./unmapped_area.ts";
export * from "./user_access.ts";
export * from "./user_copy.ts";
export * from "./validate.ts";
export * from "./vm_area.ts";
export * from "./vm_flags.ts";
export * from "./vm_ops.ts";
export * from "./vma.ts";
export * from "./vma_tree.ts";
export * from "./views/maps.ts";
export * from "./views/vma_drawing.ts";
