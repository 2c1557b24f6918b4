/**
 * One access to a linear address: its kind, and the preallocated object its outcome is written to.
 *
 * @module
 */

/** Explicit data read. */
export const ACCESS_READ = 0;
/** Data write. */
export const ACCESS_WRITE = 1;
/** Instruction fetch. */
export const ACCESS_FETCH = 2;
/** Read of a system structure (descriptor table, TSS): a supervisor access whatever the CPL. @cite sdm 3A 4.6.1 */
export const ACCESS_IMPLICIT = 3;
/** Added to an access kind for a walk that looks but leaves accessed and dirty bits alone (debuggers, drawings). */
export const ACCESS_PEEK = 4;

/** How people name an access. */
export type AccessKind = "read" | "write" | "fetch" | "implicit";

/** Number of each access kind. */
export const ACCESS_OF: Readonly<Record<AccessKind, number>> = Object.freeze({
  read: ACCESS_READ,
  write: ACCESS_WRITE,
  fetch: ACCESS_FETCH,
  implicit: ACCESS_IMPLICIT,
});

/** The translation succeeded. */
export const OUTCOME_OK = 0;
/** #PF. */
export const OUTCOME_PAGE_FAULT = 1;
/** #GP: the address is not canonical. */
export const OUTCOME_GENERAL_PROTECTION = 2;
/** The walk reached a table frame with no memory behind it: a machine check on real hardware, never a #PF. */
export const OUTCOME_NO_MEMORY = 3;

/** The nested tables stopped the access: an exit to the hypervisor, `nested_access.ts`. */
export const OUTCOME_NESTED = 4;

// Effective rights of a translation, one int, as the TLB keeps it. Bits that a leaf entry has stay where it has them.
/** Every entry has R/W = 1. */
export const RIGHT_WRITE = 1 << 1;
/** Every entry has U/S = 1: a user-mode address. */
export const RIGHT_USER = 1 << 2;
/** PWT and PCD of the leaf. */
export const RIGHT_CACHE_MASK: number = 3 << 3;
/** D of the leaf, after this access. */
export const RIGHT_DIRTY = 1 << 6;
/** PAT of the leaf (entry bit 7, or 12 in a large page). */
export const RIGHT_PAT = 1 << 7;
/** G of the leaf, only while CR4.PGE = 1. */
export const RIGHT_GLOBAL = 1 << 8;
/** Some entry has NX = 1. */
export const RIGHT_NX = 1 << 9;
/** Where the leaf's level (1 … 3) lies. */
export const RIGHT_LEVEL_SHIFT = 10;
/** Where the leaf's protection key lies. */
export const RIGHT_KEY_SHIFT = 12;

// Why an access did not go through: the rule that decided.
export const WHY_NONE = 0;
export const WHY_NOT_PRESENT = 1;
export const WHY_RESERVED = 2;
export const WHY_SUPERVISOR_PAGE = 3;
export const WHY_READ_ONLY_USER = 4;
export const WHY_READ_ONLY_WP = 5;
export const WHY_NX = 6;
export const WHY_SMEP = 7;
export const WHY_SMAP = 8;
export const WHY_SMAP_IMPLICIT = 9;
export const WHY_PKRU = 10;
export const WHY_PKRS = 11;
export const WHY_NOT_CANONICAL = 12;
export const WHY_NO_MEMORY = 13;

/**
 * The outcome of one access. Made once, written by every translation: the hot path allocates nothing.
 *
 * @example
 * ```ts
 * import { AccessResult, OUTCOME_OK } from "grantlab/x86";
 * const out = new AccessResult();
 * if (out.outcome !== OUTCOME_OK || out.entryLo.length !== 6) throw new Error();
 * ```
 */
export class AccessResult {
  /** `OUTCOME_*`. */
  outcome: number = OUTCOME_OK;
  /** The 4 KiB frame accessed (inside a large page too), where the outcome is ok; the table frame that is not there, where the outcome is no memory. */
  frame: number = 0;
  /** Level of the leaf, or level at which the walk stopped; 0 if no walk took place (paging off, not canonical). */
  level: number = 0;
  /** Level of the first table of the walk: 4 or 5. */
  topLevel: number = 0;
  /** `RIGHT_*`, as far as the walk came. */
  rights: number = 0;
  /** #PF error code, where the outcome is a page fault. */
  errorCode: number = 0;
  /** `WHY_*`. */
  why: number = WHY_NONE;
  /** True if the TLB answered: then the entries below are left over from an earlier walk. */
  isFromTlb: boolean = false;
  /** Entries as the walk read them, by level: low words. */
  readonly entryLo: Int32Array = new Int32Array(6);
  /** High words. */
  readonly entryHi: Int32Array = new Int32Array(6);
}
