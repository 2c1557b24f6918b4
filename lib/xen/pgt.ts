/**
 * The types a frame can have, one at a time: what its content may be used for.
 *
 * @cite xen 4.17 xen/arch/x86/include/asm/mm.h PGT_type_mask
 * @module
 */

/** Type 0: no use that matters. */
export const PGT_none = 0;
/** Types 1 … 4: page table of that level. */
export const PGT_l1_page_table = 1;
export const PGT_l2_page_table = 2;
export const PGT_l3_page_table = 3;
export const PGT_l4_page_table = 4;
/** Descriptor table. */
export const PGT_seg_desc_page = 5;
/** Copy-on-write. */
export const PGT_shared_page = 6;
/** Mapped writable. */
export const PGT_writable_page = 7;

/** Names of the types. */
export const PAGE_TYPES = ["none", "l1", "l2", "l3", "l4", "seg_desc", "shared", "writable"] as const;
