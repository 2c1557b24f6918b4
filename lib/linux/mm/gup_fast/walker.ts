/**
 * The seam of the lock-less page-table walk of `get_user_pages_fast`, and the named reasons why it gives up.
 *
 * @cite linux 6.1 mm/gup.c lockless_pages_from_mm
 * @module
 */

import type { MmStruct } from "../mm_struct.ts";

/** Why the fast walk stopped before a page. Each names what the walker tested. */
export type GupFastBail =
  | "fork-running" // write_protect_seq is odd: a fork takes write access away; no pin is safe
  | "fork-meanwhile" // write_protect_seq changed during the walk: every pin is given back
  | "no-table" // an upper entry is not present
  | "pte-protnone" // PROT_NONE or NUMA hint
  | "pte-flags" // raw flags: not PRESENT|USER (|RW), or SPECIAL: one test in the walker of 2014
  | "pte-not-permitted" // pte_access_permitted(pte_val): converted value lacks PRESENT|USER (|RW), or a key forbids
  | "pte-devmap" // memory of a device: a long-term pin, or no map of the device
  | "pte-special" // SPECIAL
  | "page-grab-failed" // reference count 0, or a long-term pin of a page that must stay movable
  | "pte-changed" // the entry is not what it was before the page was grabbed
  | "page-secretmem"
  | "page-truncated" // the file has given the page up
  | "file-longterm" // a long-term writable pin of a page whose file system must hear of writes
  | "must-unshare"; // read-only pin of a page that is not exclusive

/** Result of one fast walk; reused by the caller. */
export interface GupFastResult {
  /** Pages found, in order. */
  readonly pages: number[];
  /** Why it stopped early, or null. */
  bail: GupFastBail | null;
  /** A sentence for people: what the walker saw at the entry where it stopped; empty if it did not stop. */
  detail: string;
  /** Raw frame of the last entry looked at. */
  frame: number;
}

/** A result to reuse. */
export function gupFastResult(): GupFastResult {
  return { pages: [], bail: null, detail: "", frame: 0 };
}

/** A fast walker. */
export interface GupFastWalker {
  readonly name: string;
  /** Walks `nrPages` pages from `start` (page aligned), taking a reference on each page found. */
  walk(mm: MmStruct, start: number, nrPages: number, gupFlags: number, out: GupFastResult): void;
}
