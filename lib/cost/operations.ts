/**
 * What a workload does that no primitive of the model counts, as its own text says it: iterations of a string
 * instruction, elements of a list, calls on a file. Counted by the workload, priced like events.
 *
 * `layer` is who executes it; the price of one may lie in several layers.
 *
 * @module
 */

import { type EventKind, type EventRow, EVENTS } from "../trace/events.ts";

/** The table, one line a row. */
// deno-fmt-ignore
export const OPERATIONS = {
  // --- user space ----------------------------------------------------------------------------------------------
  user_rep_iteration: { layer: "user", unit: "iteration", meaning: "iteration of a REP string instruction in the program", cite: "sdm 2B 4.3 REP" },
  user_loop: { layer: "user", unit: "loop", meaning: "loop of the program set going", cite: "recorded costs-layers.jsonl gntdev_first_touch" },
  // --- the processor -------------------------------------------------------------------------------------------
  tsc_read: { layer: "hw", unit: "read", meaning: "time-stamp counter read by the kernel: on each way out to the program, for block statistics", cite: "linux 6.1 arch/x86/include/asm/entry-common.h arch_exit_to_user_mode_prepare" },
  // --- bytes moved by the kernel ---------------------------------------------------------------------------------
  bytes_cleared: { layer: "linux", unit: "byte", meaning: "byte of the kernel's own structures cleared", cite: "linux 6.1 arch/x86/lib/memset_64.S memset_erms" },
  bytes_copied: { layer: "linux", unit: "byte", meaning: "byte copied between program and kernel", cite: "linux 6.1 arch/x86/lib/copy_user_64.S copy_user_enhanced_fast_string" },
  words_copied: { layer: "linux", unit: "word", meaning: "eight bytes copied inside the kernel", cite: "linux 6.1 arch/x86/lib/memcpy_64.S __memcpy" },
  bulk_copy: { layer: "linux", unit: "call", meaning: "copy of many bytes in one go, besides its iterations", cite: "linux 6.1 arch/x86/lib/copy_user_64.S copy_user_enhanced_fast_string" },
  user_copy: { layer: "linux", unit: "call", meaning: "small structure copied from or to the program", cite: "linux 6.1 lib/usercopy.c _copy_from_user" },
  // --- calls on files --------------------------------------------------------------------------------------------
  file_call: { layer: "linux", unit: "call", meaning: "open file looked up for a call and let go", cite: "linux 6.1 fs/file.c __fget_light" },
  file_io: { layer: "linux", unit: "call", meaning: "read or write of a file set going and accounted for", cite: "linux 6.1 fs/read_write.c vfs_write" },
  file_fault: { layer: "linux", unit: "fault", meaning: "fault handed to the file mapped, which answers with a page, locked and let go", cite: "linux 6.1 mm/memory.c __do_fault" },
  iov_segment: { layer: "linux", unit: "element", meaning: "element of a list of buffers taken in", cite: "linux 6.1 lib/iov_iter.c import_iovec" },
  remote_mm: { layer: "linux", unit: "call", meaning: "address space of a process found by its pid, checked and let go", cite: "linux 6.1 mm/process_vm_access.c process_vm_rw_core" },
  page_slot: { layer: "linux", unit: "page", meaning: "page put into a list for a transfer and taken out", cite: "linux 6.1 block/bio.c bio_add_page" },
  page_cache_find: { layer: "linux", unit: "look-up", meaning: "page looked up in the cache of a file or disk", cite: "linux 6.1 mm/filemap.c filemap_get_entry" },
  block_io: { layer: "linux", unit: "request", meaning: "request to a block device made and completed", cite: "linux 6.1 block/blk-core.c submit_bio" },
  block_segment: { layer: "linux", unit: "segment", meaning: "page of a request to a block device, handed to the device", cite: "linux 6.1 drivers/block/brd.c brd_submit_bio" },
  // --- memory of the kernel's own ----------------------------------------------------------------------------------
  slab_object: { layer: "linux", unit: "object", meaning: "object of the kernel's own taken from the slab allocator or given back", cite: "linux 6.1 mm/slub.c kmem_cache_alloc" },
  list_link: { layer: "linux", unit: "element", meaning: "element of a list of the kernel put in, taken out or passed by", cite: "linux 6.1 drivers/xen/unpopulated-alloc.c xen_free_unpopulated_pages" },
  grant_ref_change: { layer: "linux", unit: "reference", meaning: "grant reference of the kernel's own taken or given back", cite: "linux 6.1 drivers/xen/grant-table.c gnttab_grant_foreign_access" },
} as const satisfies Record<string, EventRow>;

/** Name of an operation. */
export type OperationKind = keyof typeof OPERATIONS;

/** What instructions are counted for: an event of the model or an operation of a workload. */
export type CostKind = EventKind | OperationKind;

/** Both tables: what is counted. */
export const COST_KINDS: Readonly<Record<CostKind, EventRow>> = Object.freeze({ ...EVENTS, ...OPERATIONS });

/** Counts by kind; a kind left out did not happen. */
export type CostCounts = Partial<Record<CostKind, number>>;
