/**
 * `/proc/PID/pagemap` as rows: 64 bits a page.
 *
 * ```text
 *  63       62      61          60…57  56         55          54…0
 *  present  swapped file/shared  -     exclusive  soft-dirty  pfn (0 without rights)
 * ```
 *
 * @cite linux 6.1 fs/proc/task_mmu.c pte_to_pagemap_entry
 * @module
 */

/** One page. */
export interface PagemapRow {
  readonly isPresent: boolean;
  readonly isSwapped: boolean;
  /** A file's page, or shared anonymous memory. */
  readonly isFile: boolean;
  /** Mapped exactly once. */
  readonly isExclusive: boolean;
  readonly isSoftDirty: boolean;
  /** 0 if the reader may not see it. */
  readonly pfn: number;
  /** As {@linkcode pageLetter} of the model: `.`, `A`, `a`, `F`, `f`, `s`; the page of zeros looks like `a`. */
  readonly letter: string;
}

/**
 * Reads entries as they lie in the file, little-endian.
 *
 * @throws {SyntaxError} if the length is not a multiple of 8 bytes
 *
 * @example
 * ```ts
 * import { readPagemap } from "grantlab/import";
 * const bytes = new Uint8Array(8);
 * new DataView(bytes.buffer).setBigUint64(0, 1n << 63n | 1n << 56n | 0x1234n, true);
 * const [row] = readPagemap(bytes);
 * if (row?.letter !== "A" || row.pfn !== 0x1234) throw new Error();
 * ```
 */
export function readPagemap(bytes: Uint8Array): PagemapRow[] {
  if (bytes.length % 8 !== 0) {
    throw new SyntaxError(`Cannot read a pagemap of ${bytes.length} bytes: an entry has 8`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => rowOf(view.getBigUint64(8 * i, true)));
}

function rowOf(entry: bigint): PagemapRow {
  const bit = (n: bigint) => (entry >> n & 1n) === 1n;
  const [isPresent, isSwapped, isFile, isExclusive] = [bit(63n), bit(62n), bit(61n), bit(56n)];
  const letters = isFile ? "Ff" : "Aa";
  const letter = isPresent ? letters[isExclusive ? 0 : 1]! : isSwapped ? "s" : ".";
  const pfn = isPresent ? Number(entry & (1n << 55n) - 1n) : 0;
  return { isPresent, isSwapped, isFile, isExclusive, isSoftDirty: bit(55n), pfn, letter };
}
