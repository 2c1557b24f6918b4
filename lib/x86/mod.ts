/**
 * The x86-64 processor's view of memory: physical memory, paging structures, the walk, faults, TLBs.
 * Knows nothing of domains or VMAs. Start with `walk.ts`; `levels.ts` is the geometry it loops over, `permission.ts`
 * the rules it ends in, `mmu.ts` what stands in front of it.
 *
 * @module
 */

export * from "./access.ts";
export * from "./address_map.ts";
export * from "./batch.ts";
export * from "./cpu.ts";
export * from "./ept.ts";
export * from "./explain.ts";
export * from "./fault.ts";
export * from "./leaves.ts";
export * from "./levels.ts";
export * from "./memory_type.ts";
export * from "./mmu.ts";
export * from "./nested_access.ts";
export * from "./nested_walk.ts";
export * from "./npt.ts";
export * from "./page_table.ts";
export * from "./permission.ts";
export * from "./phys_mem.ts";
export * from "./pte.ts";
export * from "./registers.ts";
export * from "./shootdown.ts";
export * from "./tlb.ts";
export * from "./tlb_entries.ts";
export * from "./tlb_presets.ts";
export * from "./translation.ts";
export * from "./translation_caches.ts";
export * from "./validate.ts";
export * from "./walk.ts";
export * from "./views/page_table_view.ts";
export * from "./views/walk_drawing.ts";
