/**
 * A transfer between pages of the kernel and a disk, as the block layer hands it down: which sectors, which parts of
 * which pages, and whom to tell.
 *
 * Simplified: one bio a request, however many segments it has; no merging, no queueing by a scheduler.
 *
 * @cite linux 6.1 include/linux/blk_types.h bio
 * @module
 */

import type { Errno } from "../../core/errno.ts";

/** A part of a page, whole sectors. */
export interface BioVec {
  /** By pfn. */
  page: number;
  /** Bytes from the start of the page. */
  offset: number;
  /** Bytes. */
  length: number;
}

/** What is done. */
export type BioOperation = "read" | "write" | "flush";

/** A transfer. */
export interface Bio {
  readonly operation: BioOperation;
  /** First sector of 512 bytes. */
  readonly sector: number;
  readonly vecs: readonly BioVec[];
  /** Called once, now or later; the pages are the caller's again, whatever the device still does with them. */
  readonly endIo: (errno: Errno | null) => void;
}

/** A disk. */
export interface BlockDevice {
  readonly name: string;
  /** Of 512 bytes. */
  readonly nrSectors: number;
  /** Bytes. */
  readonly logicalBlockSize: number;
  submitBio(bio: Bio): void;
  /** Gives sectors up; without this the device cannot. */
  discard?(sector: number, count: number): Errno | null;
}
