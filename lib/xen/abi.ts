/**
 * The numbers and records that guest and hypervisor share, names verbatim. Every guest-facing record is a plain
 * object; `I` marks fields the guest fills in, `O` fields that Xen fills in. Whatever number a guest puts into an `I`
 * field is cut to the field's width (`guest_word.ts`), so no value of it is an error of ours.
 *
 * Left out: the record of cache_flush, which x86 does not take.
 *
 * @cite xen 4.17 xen/include/public/grant_table.h
 * @cite xen 4.17 xen/include/public/xen.h
 * @module
 */

// --- domain numbers ----------------------------------------------------------------------------------------------
/** First number that is not an ordinary domain. */
export const DOMID_FIRST_RESERVED = 0x7ff0;
/** The caller, where a command accepts it. Never accepted as the granter of a map. */
export const DOMID_SELF = 0x7ff0;
/** Owner of memory that is not RAM. */
export const DOMID_IO = 0x7ff1;
/** Owner of the hypervisor's own pages. */
export const DOMID_XEN = 0x7ff2;
/** Owner of copy-on-write pages. */
export const DOMID_COW = 0x7ff3;
/** No domain. */
export const DOMID_INVALID = 0x7ff4;

// --- grant entry, flags (u16) ------------------------------------------------------------------------------------
/** Type field of the flags. */
export const GTF_type_mask = 3;
/** Free. Written by the guest. */
export const GTF_invalid = 0;
/** The frame may be mapped or copied. Written by the guest. */
export const GTF_permit_access = 1;
/** A frame may be transferred to this entry. Written by the guest. */
export const GTF_accept_transfer = 2;
/** The grant refers to a grant. Version 2. Written by the guest. */
export const GTF_transitive = 3;
/** No write access. Written by the guest. */
export const GTF_readonly = 1 << 2;
/** In use. Written by Xen. */
export const GTF_reading = 1 << 3;
/** In use for writing. Written by Xen. */
export const GTF_writing = 1 << 4;
/** Of an entry that accepts a transfer: a frame is on its way, hands off. Written by Xen. */
export const GTF_transfer_committed = 1 << 2;
/** Of an entry that accepts a transfer: the frame has come. Written by Xen. */
export const GTF_transfer_completed = 1 << 3;
/** Cache attribute, for memory that is not RAM. Written by the guest. */
export const GTF_PWT = 1 << 5;
/** Cache attribute. Written by the guest. */
export const GTF_PCD = 1 << 6;
/** Cache attribute. Written by the guest. */
export const GTF_PAT = 1 << 7;
/** Byte range of a frame, for copies only. Version 2. Written by the guest. */
export const GTF_sub_page = 1 << 8;

/** Entries that survive a version change. */
export const GNTTAB_NR_RESERVED_ENTRIES = 8;
/** Reserved reference of the console ring. */
export const GNTTAB_RESERVED_CONSOLE = 0;
/** Reserved reference of the xenstore ring. */
export const GNTTAB_RESERVED_XENSTORE = 1;

// --- flags of a mapping (u32) ------------------------------------------------------------------------------------
/** Map for device access: no page-table entry, only the machine address is told. */
export const GNTMAP_device_map = 1 << 0;
/** Map for CPU access at `host_addr`. */
export const GNTMAP_host_map = 1 << 1;
/** Without write access. */
export const GNTMAP_readonly = 1 << 2;
/** The page-table entry gets the user bit. */
export const GNTMAP_application_map = 1 << 3;
/** `host_addr` is the machine address of a page-table entry, not a linear address. */
export const GNTMAP_contains_pte = 1 << 4;
/** First of three bits that go to bits 9–11 of the page-table entry. */
export const _GNTMAP_guest_avail0 = 16;

// --- flags of a copy (u16) -----------------------------------------------------------------------------------------
/** The source is a grant, not a frame of the caller. */
export const GNTCOPY_source_gref = 1 << 0;
/** The destination is a grant. */
export const GNTCOPY_dest_gref = 1 << 1;

// --- commands of the grant_table_op hypercall ---------------------------------------------------------------------
export const GNTTABOP_map_grant_ref = 0;
export const GNTTABOP_unmap_grant_ref = 1;
export const GNTTABOP_setup_table = 2;
export const GNTTABOP_dump_table = 3;
export const GNTTABOP_transfer = 4;
export const GNTTABOP_copy = 5;
export const GNTTABOP_query_size = 6;
export const GNTTABOP_unmap_and_replace = 7;
export const GNTTABOP_set_version = 8;
export const GNTTABOP_get_status_frames = 9;
export const GNTTABOP_get_version = 10;
export const GNTTABOP_swap_grant_ref = 11;
export const GNTTABOP_cache_flush = 12;
/** Bits of the command word that name the command; the others belong to continuations. */
export const GNTTABOP_CMD_MASK = 0xfff;

/** Element of `GNTTABOP_map_grant_ref`. */
export interface GnttabMapGrantRef {
  /** I, u64: machine address of the page-table entry (`GNTMAP_contains_pte`), else a linear address. */
  host_addr: number;
  /** I, u32: `GNTMAP_*`. */
  flags: number;
  /** I, u32: grant reference of the granter. */
  ref: number;
  /** I, u16: the granter; `DOMID_SELF` is not accepted. */
  dom: number;
  /** O, s16: `GNTST_*`. */
  status: number;
  /** O, u32: names the mapping from now on. Untouched on failure. */
  handle: number;
  /** O, u64: machine address of the frame. Untouched on failure. */
  dev_bus_addr: number;
}

/** Element of `GNTTABOP_unmap_grant_ref`. */
export interface GnttabUnmapGrantRef {
  /** I, u64: as it was mapped; 0 leaves the host mapping. */
  host_addr: number;
  /** I, u64: as it was told; 0 leaves the device mapping. */
  dev_bus_addr: number;
  /** I, u32. */
  handle: number;
  /** O, s16: `GNTST_*`. */
  status: number;
}

/** Element of `GNTTABOP_unmap_and_replace`. */
export interface GnttabUnmapAndReplace {
  /** I, u64: linear address of the mapping. */
  host_addr: number;
  /** I, u64: linear address whose entry moves to `host_addr`. */
  new_addr: number;
  /** I, u32. */
  handle: number;
  /** O, s16: `GNTST_*`. */
  status: number;
}

/** Argument of `GNTTABOP_setup_table`. */
export interface GnttabSetupTable {
  /** I, u16: whose table; `DOMID_SELF` is accepted. */
  dom: number;
  /** I, u32: at least this many frames. */
  nr_frames: number;
  /** O, s16: `GNTST_*`. */
  status: number;
  /** O: frame numbers of the first `nr_frames` frames; emptied and refilled. */
  frame_list: number[];
}

/** Argument of `GNTTABOP_query_size`. */
export interface GnttabQuerySize {
  /** I, u16: whose table; `DOMID_SELF` is accepted. */
  dom: number;
  /** O, u32. Untouched on failure. */
  nr_frames: number;
  /** O, u32. Untouched on failure. */
  max_nr_frames: number;
  /** O, s16: `GNTST_*`. */
  status: number;
}

/** One side of a copy: a union in the real record, so whichever field is there is read. */
export interface GnttabCopyPtr {
  /** I, u32: grant reference of the domain. */
  readonly ref?: number;
  /** I, u64: frame number of the caller itself. */
  readonly gmfn?: number;
  /** I, u16: granter, or `DOMID_SELF`. */
  readonly domid: number;
  /** I, u16: first byte. */
  readonly offset: number;
}

/** Element of `GNTTABOP_copy`. */
export interface GnttabCopy {
  readonly source: GnttabCopyPtr;
  readonly dest: GnttabCopyPtr;
  /** I, u16: bytes. */
  readonly len: number;
  /** I, u16: `GNTCOPY_*`. */
  readonly flags: number;
  /** O, s16: `GNTST_*`. */
  status: number;
}

/** Element of `GNTTABOP_transfer`. */
export interface GnttabTransfer {
  /** I, u64: frame number of the caller's. */
  readonly mfn: number;
  /** I, u16: the receiver. */
  readonly domid: number;
  /** I, u32: entry of the receiver that accepts it. */
  readonly ref: number;
  /** O, s16: `GNTST_*`. */
  status: number;
}

/** Argument of `GNTTABOP_set_version`. */
export interface GnttabSetVersion {
  /** I/O, u32: the version asked for; on return the one in effect. */
  version: number;
}

/** Argument of `GNTTABOP_get_status_frames`. */
export interface GnttabGetStatusFrames {
  /** I, u32: how many. */
  nr_frames: number;
  /** I, u16: whose table; `DOMID_SELF` is accepted. */
  dom: number;
  /** O, s16: `GNTST_*`. */
  status: number;
  /** O: frame numbers of the first `nr_frames` status frames; emptied and refilled. */
  frame_list: number[];
}

/** Element of `GNTTABOP_swap_grant_ref`; both are the caller's. */
export interface GnttabSwapGrantRef {
  /** I, u32. */
  readonly ref_a: number;
  /** I, u32. */
  readonly ref_b: number;
  /** O, s16: `GNTST_*`. */
  status: number;
}

/** Argument of `GNTTABOP_get_version`. */
export interface GnttabGetVersion {
  /** I, u16: whose table; `DOMID_SELF` is accepted. */
  dom: number;
  /** O, u32. */
  version: number;
}

/** The record that a command of `grant_table_op` takes. */
export interface GrantTableOpRecords {
  [GNTTABOP_map_grant_ref]: GnttabMapGrantRef;
  [GNTTABOP_unmap_grant_ref]: GnttabUnmapGrantRef;
  [GNTTABOP_setup_table]: GnttabSetupTable;
  [GNTTABOP_query_size]: GnttabQuerySize;
  [GNTTABOP_unmap_and_replace]: GnttabUnmapAndReplace;
  [GNTTABOP_get_version]: GnttabGetVersion;
  [GNTTABOP_copy]: GnttabCopy;
  [GNTTABOP_transfer]: GnttabTransfer;
  [GNTTABOP_set_version]: GnttabSetVersion;
  [GNTTABOP_get_status_frames]: GnttabGetStatusFrames;
  [GNTTABOP_swap_grant_ref]: GnttabSwapGrantRef;
}

// --- mmu_update ---------------------------------------------------------------------------------------------------
/** Command in the low bits of `ptr`: store an entry. */
export const MMU_NORMAL_PT_UPDATE = 0;
/** Store a machine-to-physical entry. */
export const MMU_MACHPHYS_UPDATE = 1;
/** Store an entry, keep the accessed and dirty bits that are there. */
export const MMU_PT_UPDATE_PRESERVE_AD = 2;
/** Store an entry whose frame is a machine frame even if the owner is translated. */
export const MMU_PT_UPDATE_NO_TRANSLATE = 3;

/** Element of `mmu_update`. */
export interface MmuUpdate {
  /** I, u64: machine address of the entry (of the frame, for `MMU_MACHPHYS_UPDATE`) with the command in bits 2–0. */
  ptr: number;
  /** I: frame of the new entry, 40 bits; the pseudo-physical frame for `MMU_MACHPHYS_UPDATE`. */
  frame: number;
  /** I: packed flags of the new entry, 24 bits, as in the x86 layer's `pte.ts`. */
  flags: number;
}

// --- mmuext_op ----------------------------------------------------------------------------------------------------
export const MMUEXT_PIN_L1_TABLE = 0;
export const MMUEXT_PIN_L2_TABLE = 1;
export const MMUEXT_PIN_L3_TABLE = 2;
export const MMUEXT_PIN_L4_TABLE = 3;
export const MMUEXT_UNPIN_TABLE = 4;
export const MMUEXT_NEW_BASEPTR = 5;
export const MMUEXT_TLB_FLUSH_LOCAL = 6;
export const MMUEXT_INVLPG_LOCAL = 7;
export const MMUEXT_TLB_FLUSH_MULTI = 8;
export const MMUEXT_INVLPG_MULTI = 9;
export const MMUEXT_TLB_FLUSH_ALL = 10;
export const MMUEXT_INVLPG_ALL = 11;
export const MMUEXT_FLUSH_CACHE = 12;
export const MMUEXT_SET_LDT = 13;
export const MMUEXT_NEW_USER_BASEPTR = 15;

/** Element of `mmuext_op`. */
export interface MmuextOp {
  /** I, u32: `MMUEXT_*`. */
  cmd: number;
  /** I, u64: the table, for pin, unpin and base pointers. */
  mfn?: number;
  /** I, u64: linear address, for INVLPG. */
  linear?: number;
  /** I: bit i stands for vCPU i, for the `MULTI` commands (the real record holds a pointer to the bitmap). */
  vcpumask?: number;
}

// --- update_va_mapping --------------------------------------------------------------------------------------------
export const UVMF_NONE = 0;
export const UVMF_TLB_FLUSH = 1;
export const UVMF_INVLPG = 2;
export const UVMF_FLUSHTYPE_MASK = 3;
/** Only the CPU that the call runs on. */
export const UVMF_LOCAL = 0;
/** Every CPU that may hold translations of the domain. Other values are a pointer to a bitmap of vCPUs. */
export const UVMF_ALL = 1 << 2;
