/**
 * How large the price of an event in instructions may be expected to be, by class. Recordings of whole calls often cannot
 * tell two events apart that always come together; the fit then shares the cost out by these classes, and where the
 * recordings do tell, they win.
 *
 * A row for every event: an event without a class does not compile.
 *
 * @module
 */

import { COST_KINDS, type CostKind } from "./operations.ts";

/**
 * `none`: no instruction of its own, its work is counted by other events or done by hardware. `few`: a handful in the
 * program itself. `entry`: a few instructions on one entry or count. `step`: one look-up, lock or list element. `path`: a way through a subsystem. `iteration`:
 * bytes or words moved by a string instruction, whose iterations are counted by rule and never fitted.
 */
export type PriceClass = "none" | "few" | "entry" | "step" | "path" | "iteration";

/** Expected size of each fitted class, in instructions. Round figures. */
export const EXPECTED_INSTRUCTIONS: Readonly<Record<"few" | "entry" | "step" | "path", number>> = Object
  .freeze({
    few: 4,
    entry: 30,
    step: 100,
    path: 500,
  });

/** The class of each event. */
export const PRICE_CLASSES: Readonly<Record<CostKind, PriceClass>> = Object.freeze({
  tlb_lookup: "none",
  tlb_miss: "none",
  stlb_hit: "none",
  walk_step: "none",
  nested_step: "none",
  ad_update: "none",
  page_fault: "none",
  invlpg: "step",
  invpcid: "step",
  cr3_write: "path",
  cr4_write: "step",
  tlb_flush_full: "path",
  ipi: "path",
  ipi_taken: "path",
  dma_page: "none",
  user_access: "few",
  syscall: "path",
  fault_entry: "path",
  mmap_lock: "step",
  mmap_write_lock: "step",
  pt_lock: "entry",
  vma_alloc: "path",
  vma_free: "path",
  vma_find: "step",
  vma_tree_write: "none",
  vma_tree_prealloc: "step",
  anon_vma_link: "path",
  vm_account: "path",
  vma_merge: "path",
  vma_ext_word: "none",
  notifier_call: "none",
  pte_read: "entry",
  pte_range: "step",
  pte_scan: "entry",
  pte_write: "entry",
  tlb_gather: "path",
  tlb_batch: "path",
  table_alloc: "path",
  table_free: "path",
  lru_add: "step",
  page_alloc: "path",
  page_free: "path",
  page_clear: "step",
  page_copy: "none",
  refcount: "entry",
  mapcount: "entry",
  gup_fast_call: "step",
  gup_fast_pte: "step",
  gup_slow_page: "step",
  normal_page: "step",
  special_lookup: "step",
  p2m_read: "entry",
  p2m_lookup: "step",
  p2m_write: "entry",
  m2p_read: "entry",
  override_lock: "step",
  override_probe: "entry",
  set_pte_call: "none",
  single_call: "none",
  hypercall: "path",
  hc_mmu_update: "none",
  hc_memory_op: "none",
  hc_multicall: "none",
  hc_update_va_mapping: "none",
  hc_update_va_mapping_otherdomain: "none",
  hc_grant_table_op: "none",
  hc_mmuext_op: "none",
  hc_event_channel_op: "none",
  multicall_entry: "step",
  gnttab_op: "path",
  gt_lock: "step",
  gt_write_lock: "step",
  gt_spin_lock: "step",
  gt_rw_lock: "step",
  active_lock: "step",
  maptrack_op: "step",
  entry_cmpxchg: "entry",
  page_ref: "entry",
  page_type: "entry",
  xen_p2m_update: "path",
  xen_copy_bytes: "none",
  xen_pte_write: "step",
  mmu_update_op: "path",
  ptwr_emulated: "path",
  flush_tlb_mask: "path",
  user_loop: "few",
  tsc_read: "path",
  user_rep_iteration: "iteration",
  bytes_cleared: "iteration",
  bytes_copied: "iteration",
  words_copied: "iteration",
  bulk_copy: "step",
  user_copy: "step",
  file_call: "step",
  file_io: "path",
  file_fault: "step",
  iov_segment: "step",
  remote_mm: "path",
  page_slot: "step",
  page_cache_find: "step",
  block_io: "path",
  block_segment: "path",
  slab_object: "step",
  list_link: "entry",
  grant_ref_change: "step",
  pgrant_probe: "entry",
  front_copy_bytes: "iteration",
  local_copy_bytes: "iteration",
});

/** The kinds whose prices are fitted, in the order of the tables. */
export const FITTED_KINDS: readonly CostKind[] = Object.freeze(
  (Object.keys(COST_KINDS) as CostKind[]).filter((kind) =>
    PRICE_CLASSES[kind] !== "none" && PRICE_CLASSES[kind] !== "iteration"
  ),
);
