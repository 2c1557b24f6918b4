/**
 * One VMA: a range `[start, end)` of user addresses (bytes, page aligned; exact as numbers up to five-level paging
 * because they are multiples of 4096) with one set of rights and one object behind it.
 *
 * A design for foreign pages may add fields to every VMA. They live in `ext`, which {@linkcode dupVma} copies
 * *shallowly*, like the C struct copy it models: the split bug of the seed's patch is exactly that copied pointer.
 *
 * @cite linux 6.1 include/linux/mm_types.h vm_area_struct
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { vmaView } from "./views/vma_view.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import type { AnonVma } from "./anon_vma.ts";
import type { FileObject } from "./file.ts";
import type { MmStruct } from "./mm_struct.ts";
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from "./vm_flags.ts";
import type { VmOperations } from "./vm_ops.ts";

/** Fields that a foreign-page design adds to every VMA. */
export interface VmaExt {
  /** The array of pages of the draft of October 2014 and the designs next to it: one `struct page` per page. */
  readonly pages?: VmaPages;
}

/** A window into an array of pages: C's `struct page **`, a pointer into an allocation. */
export interface VmaPages {
  /** One pfn per page of the driver's map, or -1 where the slot is empty. Shared by every copy of the pointer. */
  readonly array: Int32Array;
  /** Index that the pointer points at. */
  readonly first: number;
}

const NO_ANON_VMAS: readonly AnonVma[] = Object.freeze([]);
const NO_EXT: VmaExt = Object.freeze({});

/** Pages that the low half of a bound counts. */
const LOW_PAGES = 2 ** 22;

/** A virtual memory area. */
export class Vma extends Shown {
  // Bounds as two small integers each. A number above 2^31 would be an object of its own, and one more line of cache
  // to fetch in every look-up: among 100 000 VMAs that is half the time (bench/README.md).
  #endHigh = 0;
  #endLow = 0;
  #startHigh = 0;
  #startLow = 0;
  /** VM_* bits. */
  flags: number;
  readonly mm: MmStruct;
  /** Offset in the object behind, in pages; for private anonymous memory the page number of `start` at birth. */
  pgoff: number;
  file: FileObject | null;
  ops: VmOperations | null;
  /** Driver's own word. */
  privateData: unknown = null;
  anonVma: AnonVma | null = null;
  /** Every anon_vma that may hold pages of this VMA: one, or more after a fork. Replaced, never changed in place. */
  anonVmaChain: readonly AnonVma[] = NO_ANON_VMAS;
  /** Protection key, 0 … 15. */
  pkey = 0;
  /** What a design adds to the struct; see the module comment. Replaced, never changed in place. */
  ext: VmaExt = NO_EXT;

  /**
   * @param start first byte, page aligned
   * @param end one past the last byte, page aligned
   * @param flags VM_* bits
   * @param pgoff offset in the object behind, in pages; for private anonymous memory the page number of `start` at birth
   */
  constructor(
    mm: MmStruct,
    start: number,
    end: number,
    flags: number,
    pgoff: number,
    file: FileObject | null,
    ops: VmOperations | null,
  ) {
    super();
    this.mm = mm;
    this.start = start;
    this.end = end;
    this.flags = flags;
    this.pgoff = pgoff;
    this.file = file;
    this.ops = ops;
  }

  /** First byte, page aligned. */
  get start(): number {
    return (this.#startHigh * LOW_PAGES + this.#startLow) * PAGE_SIZE;
  }

  set start(address: number) {
    const page = address / PAGE_SIZE;
    this.#startHigh = page / LOW_PAGES | 0;
    this.#startLow = page % LOW_PAGES | 0;
  }

  /** One past the last byte, page aligned. */
  get end(): number {
    return (this.#endHigh * LOW_PAGES + this.#endLow) * PAGE_SIZE;
  }

  set end(address: number) {
    const page = address / PAGE_SIZE;
    this.#endHigh = page / LOW_PAGES | 0;
    this.#endLow = page % LOW_PAGES | 0;
  }

  /** Length in pages. */
  get nrPages(): number {
    return (this.end - this.start) / PAGE_SIZE;
  }

  /** True if `address` lies inside. */
  contains(address: number): boolean {
    return address >= this.start && address < this.end;
  }

  /** `rw-s` as in /proc/PID/maps. */
  get permissions(): string {
    return `${this.flags & VM_READ ? "r" : "-"}${this.flags & VM_WRITE ? "w" : "-"}` +
      `${this.flags & VM_EXEC ? "x" : "-"}${this.flags & VM_MAYSHARE ? "s" : "p"}`;
  }

  /** One line, as in /proc/PID/maps without the columns that mean nothing here. */
  override toString(): string {
    const name = this.file?.name ?? (this.ops?.name ?? "anon");
    return `${hex(this.start)}-${hex(this.end)} ${this.permissions} pgoff ${hex(this.pgoff)} ${name}`;
  }

  override [viewOf](): View {
    return vmaView(this);
  }
}

/** Index of the page of `address` counted from the start of the VMA. */
export function pageIndexInVma(vma: Vma, address: number): number {
  return Math.floor((address - vma.start) / PAGE_SIZE);
}

/** Page-aligned part of an address. */
export function pageOf(address: number): number {
  return address - address % (1 << PAGE_SHIFT);
}

/**
 * A copy of the struct, not yet in the tree; `ext` is copied one level deep.
 *
 * @cite linux 6.1 kernel/fork.c vm_area_dup
 */
export function dupVma(vma: Vma): Vma {
  const copy = new Vma(vma.mm, vma.start, vma.end, vma.flags, vma.pgoff, vma.file, vma.ops);
  copy.privateData = vma.privateData;
  copy.anonVma = vma.anonVma;
  copy.anonVmaChain = vma.anonVmaChain;
  copy.pkey = vma.pkey;
  copy.ext = vma.ext; // what is in it is shared, as in a copy of the struct
  return copy;
}
