/**
 * Bits of the control registers that paging looks at, and of the #PF error code. Values are signed 32-bit: `CR0_PG`
 * is negative, which makes "paging is on" the cheap test `cr0 < 0`.
 *
 * @cite sdm 3A 2.5 control registers
 * @module
 */

/** Protection enable. */
export const CR0_PE = 1 << 0;
/** Write protect: supervisor writes obey R/W. */
export const CR0_WP = 1 << 16;
/** Not write-through (with CD = 0 not allowed). */
export const CR0_NW = 1 << 29;
/** Cache disable. */
export const CR0_CD = 1 << 30;
/** Paging. */
export const CR0_PG = 1 << 31;

/** Page size extensions; without meaning for 4-level and 5-level paging. */
export const CR4_PSE = 1 << 4;
/** Physical address extension; always 1 in IA-32e mode. */
export const CR4_PAE = 1 << 5;
/** Global pages. */
export const CR4_PGE = 1 << 7;
/** 57-bit linear addresses: five levels. */
export const CR4_LA57 = 1 << 12;
/** Process-context identifiers. */
export const CR4_PCIDE = 1 << 17;
/** Supervisor-mode execution prevention. */
export const CR4_SMEP = 1 << 20;
/** Supervisor-mode access prevention. */
export const CR4_SMAP = 1 << 21;
/** Protection keys for user-mode pages. */
export const CR4_PKE = 1 << 22;
/** Protection keys for supervisor-mode pages. */
export const CR4_PKS = 1 << 24;
/** All bits of CR4 that change how addresses are translated or cached. */
export const CR4_PAGING_BITS: number = CR4_PSE | CR4_PAE | CR4_PGE | CR4_LA57 | CR4_PCIDE | CR4_SMEP |
  CR4_SMAP |
  CR4_PKE | CR4_PKS;

/** Long mode enable. */
export const EFER_LME = 1 << 8;
/** Long mode active. */
export const EFER_LMA = 1 << 10;
/** No-execute enable: bit 63 of entries is NX, else reserved. */
export const EFER_NXE = 1 << 11;

/** #PF error code: the fault was not caused by a not-present page. @cite sdm 3A 4.7 */
export const PF_P = 1 << 0;
/** The access was a write. */
export const PF_WR = 1 << 1;
/** The access was a user-mode access. */
export const PF_US = 1 << 2;
/** A reserved bit was set in a paging-structure entry. */
export const PF_RSVD = 1 << 3;
/** The access was an instruction fetch (reported only with SMEP or NX enabled). */
export const PF_ID = 1 << 4;
/** A protection key denied the data access. */
export const PF_PK = 1 << 5;
