/**
 * An open file as far as mappings need it: a name for listings, a reference count, operations, and, where there is
 * one, the page cache of its memory.
 *
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import type { Errno } from "../../core/errno.ts";
import { outOfRange } from "../../core/misuse.ts";
import type { PageCache } from "./page_cache.ts";
import type { Vma } from "./vma.ts";

/** What a file does when it is mapped and when it goes. @cite linux 6.1 include/linux/fs.h file_operations */
export interface FileOperations {
  readonly name: string;
  /**
   * Sets the operations, flags and private data of a new VMA, or refuses it. Called when old mappings of the range
   * are already gone; the VMA is not in the tree yet. A file without this member cannot be mapped (ENODEV).
   */
  mmap?(vma: Vma): Errno | null;
  /** Writes back what is dirty; a file without this member refuses MS_SYNC (EINVAL). */
  fsync?(file: FileObject): Errno | null;
  /** Frees the memory of pages `[first, end)` of the file; without this member EOPNOTSUPP. */
  punchHole?(file: FileObject, first: number, end: number): Errno | null;
  /** After the last reference went. */
  release?(file: FileObject): void;
}

/** What a {@linkcode FileObject} is made of. */
export interface FileOptions {
  readonly name: string;
  readonly ops: FileOperations;
  /** FMODE_READ; default true. */
  readonly readable?: boolean;
  /** FMODE_WRITE; default true. */
  readonly writable?: boolean;
  readonly pageCache?: PageCache | null;
  /** Driver's own word. */
  readonly privateData?: unknown;
}

/** `struct file`: born with one reference, that of the descriptor. */
export class FileObject extends Shown {
  readonly name: string;
  readonly ops: FileOperations;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly pageCache: PageCache | null;
  privateData: unknown;
  /** References: the descriptor and every VMA. */
  count = 1;

  constructor(options: FileOptions) {
    super();
    this.name = options.name;
    this.ops = options.ops;
    this.readable = options.readable ?? true;
    this.writable = options.writable ?? true;
    this.pageCache = options.pageCache ?? null;
    this.privateData = options.privateData ?? null;
  }

  override toString(): string {
    return `file ${this.name} (${this.count} references)`;
  }

  override [viewOf](): View {
    return { line: this.toString() };
  }
}

/** One more reference. @cite linux 6.1 include/linux/fs.h get_file */
export function getFile(file: FileObject): FileObject {
  file.count++;
  return file;
}

/**
 * One reference given back; the last one ends the file. Closing a descriptor is this.
 *
 * @throws {RangeError} if the file has ended before
 * @cite linux 6.1 fs/file_table.c fput
 */
export function fput(file: FileObject): void {
  if (file.count === 0) throw outOfRange("give back a reference of", file.name, "the file has none left");
  if (--file.count > 0) return;
  file.ops.release?.(file);
  file.pageCache?.drop();
}
