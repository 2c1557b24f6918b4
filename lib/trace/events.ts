/**
 * THE table of what is counted. A row here, a counter in every {@linkcode Trace}, a price in every price list: a
 * price list that misses a row does not compile. Only primitives emit (a table entry read, a hypercall entered, a
 * lock taken); policy code such as `mmap` or `gup` costs by what it calls.
 *
 * `layer` is where the event happens on the machine (who pays), not which folder emits it.
 *
 * @module
 */

/** One row of the table. */
export interface EventRow {
  readonly layer: "hw" | "user" | "linux" | "xen";
  /** What one event is, in the singular: `entry`, `page`, `call`. */
  readonly unit: string;
  /** A sentence for people, without full stop. */
  readonly meaning: string;
  /** Where the thing counted can be read about, in the form of `@cite`. */
  readonly cite: string;
}

/** The table, one line a row. Order is the order of display and of the counters. */
// deno-fmt-ignore
export const EVENTS = {
  // --- the processor -------------------------------------------------------------------------------------------
  tlb_lookup: { layer: "hw", unit: "access", meaning: "translation looked up in the TLB", cite: "sdm 3A 4.10.2" },
  tlb_miss: { layer: "hw", unit: "access", meaning: "translation not in the TLB, so a page walk starts", cite: "sdm 3A 4.10.2" },
  stlb_hit: { layer: "hw", unit: "access", meaning: "translation not in the first-level TLB but in the second-level one", cite: "sdm 3A 4.10.2" },
  walk_step: { layer: "hw", unit: "entry", meaning: "paging-structure entry read by a page walk", cite: "sdm 3A 4.5" },
  nested_step: { layer: "hw", unit: "entry", meaning: "entry of an EPT or NPT read by a two-dimensional walk", cite: "sdm 3C 29.3" },
  ad_update: { layer: "hw", unit: "entry", meaning: "accessed or dirty bit set in an entry by a page walk", cite: "sdm 3A 4.8" },
  page_fault: { layer: "hw", unit: "fault", meaning: "#PF delivered", cite: "sdm 3A 4.7" },
  invlpg: { layer: "hw", unit: "page", meaning: "INVLPG executed", cite: "sdm 3A 4.10.4.1" },
  invpcid: { layer: "hw", unit: "call", meaning: "INVPCID executed", cite: "sdm 3A 4.10.4.1" },
  cr3_write: { layer: "hw", unit: "write", meaning: "MOV to CR3", cite: "sdm 3A 4.10.4.1" },
  cr4_write: { layer: "hw", unit: "write", meaning: "MOV to CR4 that changes a paging bit", cite: "sdm 3A 4.10.4.1" },
  tlb_flush_full: { layer: "hw", unit: "flush", meaning: "whole TLB of one CPU dropped, global entries included", cite: "sdm 3A 4.10.4.1" },
  ipi: { layer: "hw", unit: "target", meaning: "inter-processor interrupt sent to one CPU for a TLB shoot-down", cite: "sdm 3A 4.10.5" },
  ipi_taken: { layer: "hw", unit: "interrupt", meaning: "shoot-down interrupt taken by the CPU it was sent to", cite: "sdm 3A 4.10.5" },
  dma_page: { layer: "hw", unit: "page", meaning: "page read or written by a device", cite: "linux 6.1 block/bio.c bio_iov_iter_get_pages" },
  // --- user space ----------------------------------------------------------------------------------------------
  user_access: { layer: "user", unit: "access", meaning: "load, store or fetch by a program", cite: "sdm 3A 4.6" },
  // --- Linux: entry and locks ----------------------------------------------------------------------------------
  syscall: { layer: "linux", unit: "call", meaning: "system call entered and left", cite: "linux 6.1 arch/x86/entry/entry_64.S entry_SYSCALL_64" },
  fault_entry: { layer: "linux", unit: "fault", meaning: "page fault handled by the kernel", cite: "linux 6.1 arch/x86/mm/fault.c exc_page_fault" },
  mmap_lock: { layer: "linux", unit: "acquire", meaning: "mmap_lock taken", cite: "linux 6.1 include/linux/mmap_lock.h mmap_write_lock" },
  mmap_write_lock: { layer: "linux", unit: "acquire", meaning: "mmap_lock taken for writing; counted as mmap_lock, too", cite: "linux 6.1 include/linux/mmap_lock.h mmap_write_lock_killable" },
  pt_lock: { layer: "linux", unit: "acquire", meaning: "page-table lock taken", cite: "linux 6.1 include/linux/mm.h pte_offset_map_lock" },
  // --- Linux: VMAs ---------------------------------------------------------------------------------------------
  vma_alloc: { layer: "linux", unit: "VMA", meaning: "VMA structure allocated", cite: "linux 6.1 kernel/fork.c vm_area_alloc" },
  vma_free: { layer: "linux", unit: "VMA", meaning: "VMA structure freed", cite: "linux 6.1 kernel/fork.c vm_area_free" },
  vma_find: { layer: "linux", unit: "look-up", meaning: "address looked up in the VMA tree", cite: "linux 6.1 mm/mmap.c find_vma" },
  vma_tree_write: { layer: "linux", unit: "write", meaning: "VMA tree changed", cite: "linux 6.1 mm/mmap.c vma_mas_store" },
  vma_tree_prealloc: { layer: "linux", unit: "node", meaning: "node set aside before the VMA tree is changed", cite: "linux 6.1 lib/maple_tree.c mas_preallocate" },
  anon_vma_link: { layer: "linux", unit: "link", meaning: "link between a VMA and an anon_vma of its pages made or removed", cite: "linux 6.1 include/linux/rmap.h anon_vma_chain" },
  vm_account: { layer: "linux", unit: "VMA", meaning: "mapping added to or taken off what the process has: limits, statistics, who watches", cite: "linux 6.1 mm/mmap.c vm_stat_account" },
  vma_merge: { layer: "linux", unit: "attempt", meaning: "neighbours of a range looked at for a merge", cite: "linux 6.1 mm/mmap.c vma_merge" },
  vma_ext_word: { layer: "linux", unit: "word", meaning: "word that a design adds to a VMA, set or copied where it is in use", cite: "list 2015-01-08 mm: allow for an alternate set of pages for userspace mappings" },
  notifier_call: { layer: "linux", unit: "call", meaning: "mmu notifier called", cite: "linux 6.1 mm/mmu_notifier.c mn_itree_invalidate" },
  // --- Linux: page tables and pages ----------------------------------------------------------------------------
  pte_read: { layer: "linux", unit: "entry", meaning: "page-table entry read by the kernel", cite: "linux 6.1 include/linux/pgtable.h ptep_get" },
  pte_range: { layer: "linux", unit: "table", meaning: "entries of one page table gone through: found from the top, locked", cite: "linux 6.1 mm/memory.c zap_pte_range" },
  pte_scan: { layer: "linux", unit: "entry", meaning: "page-table entry passed by a walk over a range, present or not", cite: "linux 6.1 mm/memory.c zap_pte_range" },
  pte_write: { layer: "linux", unit: "entry", meaning: "page-table entry written by the kernel", cite: "linux 6.1 include/linux/pgtable.h set_pte_at" },
  tlb_gather: { layer: "linux", unit: "batch", meaning: "batch opened that collects what the TLBs are owed", cite: "linux 6.1 mm/mmu_gather.c tlb_gather_mmu" },
  tlb_batch: { layer: "linux", unit: "list", meaning: "list of pages given back after the TLBs are paid", cite: "linux 6.1 mm/mmu_gather.c tlb_batch_pages_flush" },
  table_alloc: { layer: "linux", unit: "table", meaning: "page-table page allocated", cite: "linux 6.1 mm/memory.c __pte_alloc" },
  table_free: { layer: "linux", unit: "table", meaning: "page-table page freed", cite: "linux 6.1 mm/memory.c free_pgtables" },
  lru_add: { layer: "linux", unit: "page", meaning: "new page put on its LRU list, with others of its CPU's batch", cite: "linux 6.1 mm/swap.c lru_add_fn" },
  page_alloc: { layer: "linux", unit: "page", meaning: "page taken from the page allocator", cite: "linux 6.1 mm/page_alloc.c __alloc_pages" },
  page_free: { layer: "linux", unit: "page", meaning: "page given back to the page allocator", cite: "linux 6.1 mm/page_alloc.c free_unref_page" },
  page_clear: { layer: "linux", unit: "page", meaning: "4096 bytes cleared", cite: "linux 6.1 arch/x86/lib/clear_page_64.S clear_page_erms" },
  page_copy: { layer: "linux", unit: "page", meaning: "4096 bytes copied", cite: "linux 6.1 mm/memory.c __wp_page_copy_user" },
  refcount: { layer: "linux", unit: "change", meaning: "page reference count changed", cite: "linux 6.1 include/linux/page_ref.h page_ref_add" },
  mapcount: { layer: "linux", unit: "change", meaning: "page map count changed", cite: "linux 6.1 mm/rmap.c page_remove_rmap" },
  // --- Linux: get_user_pages -----------------------------------------------------------------------------------
  gup_fast_call: { layer: "linux", unit: "call", meaning: "get_user_pages_fast entered", cite: "linux 6.1 mm/gup.c internal_get_user_pages_fast" },
  gup_fast_pte: { layer: "linux", unit: "entry", meaning: "entry looked at by the lock-less walk of get_user_pages_fast", cite: "linux 6.1 mm/gup.c gup_pte_range" },
  gup_slow_page: { layer: "linux", unit: "page", meaning: "page looked for by the slow path of get_user_pages", cite: "linux 6.1 mm/gup.c follow_page_pte" },
  normal_page: { layer: "linux", unit: "look-up", meaning: "page behind an entry asked for", cite: "linux 6.1 mm/memory.c vm_normal_page" },
  special_lookup: { layer: "linux", unit: "look-up", meaning: "special entry resolved by the VMA (array or operation)", cite: "linux 6.1 mm/memory.c vm_normal_page" },
  // --- Linux on Xen --------------------------------------------------------------------------------------------
  p2m_read: { layer: "linux", unit: "entry", meaning: "physical-to-machine entry read", cite: "linux 6.1 arch/x86/include/asm/xen/page.h __pfn_to_mfn" },
  p2m_lookup: { layer: "linux", unit: "look-up", meaning: "p2m entry found the long way, by the kernel's page tables: to be written, or of a frame that is not the guest's own", cite: "linux 6.1 arch/x86/xen/p2m.c get_phys_to_machine" },
  p2m_write: { layer: "linux", unit: "entry", meaning: "physical-to-machine entry written", cite: "linux 6.1 arch/x86/xen/p2m.c set_phys_to_machine" },
  m2p_read: { layer: "linux", unit: "entry", meaning: "machine-to-physical entry read", cite: "linux 6.1 arch/x86/include/asm/xen/page.h mfn_to_pfn_no_overrides" },
  override_lock: { layer: "linux", unit: "acquire", meaning: "m2p_override lock taken", cite: "linux 3.15 arch/x86/xen/p2m.c m2p_override_lock" },
  override_probe: { layer: "linux", unit: "node", meaning: "node of an m2p_override bucket looked at", cite: "linux 3.15 arch/x86/xen/p2m.c m2p_find_override" },
  // --- Linux: block and net drivers --------------------------------------------------------------------------------
  pgrant_probe: { layer: "linux", unit: "node", meaning: "node of a back end's tree of persistent grants looked at", cite: "linux 6.1 drivers/block/xen-blkback/blkback.c get_persistent_gnt" },
  front_copy_bytes: { layer: "linux", unit: "byte", meaning: "byte copied by a front end between its own page and one that stays granted", cite: "linux 6.1 drivers/block/xen-blkfront.c blkif_copy_from_grant" },
  local_copy_bytes: { layer: "linux", unit: "byte", meaning: "byte of a foreign page copied into a page of the kernel's own", cite: "linux 6.1 net/core/skbuff.c skb_copy_ubufs" },
  set_pte_call: { layer: "linux", unit: "call", meaning: "mmu_update made at once for one entry, outside lazy MMU mode", cite: "linux 6.1 arch/x86/xen/mmu_pv.c __xen_set_pte" },
  single_call: { layer: "linux", unit: "call", meaning: "multicall list of one, made as the call itself, its number from a register", cite: "linux 6.1 arch/x86/xen/multicalls.c xen_mc_flush" },
  // --- Xen -----------------------------------------------------------------------------------------------------
  hypercall: { layer: "xen", unit: "call", meaning: "hypercall entered and left", cite: "xen 4.17 xen/arch/x86/pv/hypercall.c pv_hypercall" },
  hc_mmu_update: { layer: "xen", unit: "call", meaning: "hypercall with number 1, mmu_update", cite: "xen 4.17 xen/include/public/xen.h __HYPERVISOR_mmu_update" },
  hc_memory_op: { layer: "xen", unit: "call", meaning: "hypercall with number 12, memory_op", cite: "xen 4.17 xen/include/public/xen.h __HYPERVISOR_memory_op" },
  hc_multicall: { layer: "xen", unit: "call", meaning: "hypercall with number 13, multicall", cite: "xen 4.17 xen/include/public/xen.h __HYPERVISOR_multicall" },
  hc_update_va_mapping: { layer: "xen", unit: "call", meaning: "hypercall with number 14, update_va_mapping", cite: "xen 4.17 xen/include/public/xen.h __HYPERVISOR_update_va_mapping" },
  hc_grant_table_op: { layer: "xen", unit: "call", meaning: "hypercall with number 20, grant_table_op", cite: "xen 4.17 xen/include/public/xen.h __HYPERVISOR_grant_table_op" },
  hc_update_va_mapping_otherdomain: { layer: "xen", unit: "call", meaning: "hypercall with number 22, update_va_mapping_otherdomain", cite: "xen 4.17 xen/include/public/xen.h __HYPERVISOR_update_va_mapping_otherdomain" },
  hc_mmuext_op: { layer: "xen", unit: "call", meaning: "hypercall with number 26, mmuext_op", cite: "xen 4.17 xen/include/public/xen.h __HYPERVISOR_mmuext_op" },
  hc_event_channel_op: { layer: "xen", unit: "call", meaning: "hypercall with number 32, event_channel_op", cite: "xen 4.17 xen/include/public/xen.h __HYPERVISOR_event_channel_op" },
  multicall_entry: { layer: "xen", unit: "entry", meaning: "call run from a multicall list", cite: "xen 4.17 xen/common/multicall.c do_multicall" },
  gnttab_op: { layer: "xen", unit: "op", meaning: "grant operation copied in and out", cite: "xen 4.17 xen/common/grant_table.c do_grant_table_op" },
  gt_lock: { layer: "xen", unit: "acquire", meaning: "grant-table lock taken", cite: "xen 4.17 xen/common/grant_table.c grant_read_lock" },
  gt_write_lock: { layer: "xen", unit: "acquire", meaning: "grant-table lock taken for writing", cite: "xen 4.17 xen/common/grant_table.c grant_write_lock" },
  gt_spin_lock: { layer: "xen", unit: "acquire", meaning: "grant-table spin lock taken, as before 2015", cite: "xen 4.5 xen/common/grant_table.c __gnttab_map_grant_ref" },
  gt_rw_lock: { layer: "xen", unit: "acquire", meaning: "grant-table lock taken for reading in one shared word, as in 2015", cite: "commit b4650e9a96 split of the grant lock" },
  active_lock: { layer: "xen", unit: "acquire", meaning: "active-entry lock taken", cite: "xen 4.17 xen/common/grant_table.c active_entry_acquire" },
  maptrack_op: { layer: "xen", unit: "op", meaning: "maptrack handle taken or given back", cite: "xen 4.17 xen/common/grant_table.c get_maptrack_handle" },
  entry_cmpxchg: { layer: "xen", unit: "write", meaning: "shared grant entry changed atomically", cite: "xen 4.17 xen/common/grant_table.c _set_status_v1" },
  page_ref: { layer: "xen", unit: "change", meaning: "frame reference count changed", cite: "xen 4.17 xen/arch/x86/mm.c get_page" },
  page_type: { layer: "xen", unit: "change", meaning: "frame type count changed", cite: "xen 4.17 xen/arch/x86/mm.c get_page_type" },
  xen_p2m_update: { layer: "xen", unit: "entry", meaning: "entry of a translated domain's second-level tables written", cite: "xen 4.17 xen/arch/x86/mm/p2m.c p2m_set_entry" },
  xen_copy_bytes: { layer: "xen", unit: "byte", meaning: "byte copied by a grant copy", cite: "xen 4.17 xen/common/grant_table.c gnttab_copy_buf" },
  xen_pte_write: { layer: "xen", unit: "entry", meaning: "guest page-table entry written by Xen", cite: "xen 4.17 xen/arch/x86/mm.c UPDATE_ENTRY" },
  mmu_update_op: { layer: "xen", unit: "op", meaning: "page-table update validated", cite: "xen 4.17 xen/arch/x86/mm.c do_mmu_update" },
  ptwr_emulated: { layer: "xen", unit: "entry", meaning: "store to a page table trapped, validated and done by Xen", cite: "xen 4.17 xen/arch/x86/pv/ro-page-fault.c ptwr_emulated_update" },
  flush_tlb_mask: { layer: "xen", unit: "flush", meaning: "TLB flush asked of a set of CPUs", cite: "xen 4.17 xen/arch/x86/smp.c flush_area_mask" },
} as const satisfies Record<string, EventRow>;

/** Name of an event. */
export type EventKind = keyof typeof EVENTS;

/** All names, in the order of the counters. */
export const EVENT_KINDS: readonly EventKind[] = Object.freeze(Object.keys(EVENTS) as EventKind[]);

/** Number of rows. */
export const NR_EVENTS: number = EVENT_KINDS.length;

/**
 * Index of each event's counter.
 *
 * @example
 * ```ts
 * import { EV, Trace } from "grantlab/trace";
 * const trace = new Trace();
 * trace.add(EV.hypercall);
 * if (trace.count("hypercall") !== 1) throw new Error();
 * ```
 */
export const EV: { readonly [K in EventKind]: number } = Object.freeze(
  Object.fromEntries(EVENT_KINDS.map((kind, i) => [kind, i])) as { [K in EventKind]: number },
);
