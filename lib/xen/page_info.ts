/**
 * `struct page_info` of every frame that was ever owned, by *row*: who owns it, references, type, uses of the type.
 * `FrameTable` finds the row of a frame; who works on one frame for a while asks for the row once and stays here. A row
 * never goes and never moves.
 *
 * One row is eight words side by side, so that a look at a frame touches one line of the host's cache:
 *
 * ```text
 *  0       1       2        3       4            5       6            7
 * ┌───────┬───────┬────────┬───────┬────────────┬───────┬────────────┬───────┐
 * │ frame │ owner │ count  │ type  │ type count │ flags │ grant maps │   –   │
 * └───────┴───────┴────────┴───────┴────────────┴───────┴────────────┴───────┘
 * ```
 *
 * @cite xen 4.17 xen/arch/x86/include/asm/mm.h page_info
 * @module
 */

import { growFloat64, growInt32 } from "../core/columns.ts";
import type { Mfn } from "../core/frames.ts";
import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { PGT_l1_page_table, PGT_l4_page_table, PGT_none, PGT_writable_page } from "./pgt.ts";

/** Owner of a frame that nobody owns. */
export const NO_OWNER = -1;

/** Flag: the guest asked to keep the table validated. */
export const PINNED = 1;
/** Flag: contents checked for the type. */
export const VALIDATED = 2;
/** Flag: the allocation holds a reference. */
export const ALLOCATED = 4;
/** Flag: page of the hypervisor's heap, shared with a guest. */
export const XEN_HEAP = 8;

/** Words of a row. */
const WIDTH = 8;
const OWNER = 1;
const COUNT = 2;
const TYPE = 3;
const TYPE_COUNT = 4;
const FLAGS = 5;
const GRANT_MAPS = 6;

/** The table as columns, a row for each frame that was ever owned. */
export interface FrameColumns {
  readonly mfn: ArrayLike<number>;
  readonly owner: ArrayLike<number>;
  readonly count: ArrayLike<number>;
  readonly type: ArrayLike<number>;
  readonly typeCount: ArrayLike<number>;
  readonly flags: ArrayLike<number>;
  readonly grantMaps: ArrayLike<number>;
  readonly stamp: ArrayLike<number>;
  readonly m2p: ArrayLike<number>;
}

/** The rows of one machine. */
export class PageInfo {
  /** Machine-to-physical entries by row; read through `M2p`. */
  m2p: Float64Array = new Float64Array(256);
  /** Told of each frame that nobody holds any more: its content goes. */
  onFree: ((mfn: number) => void) | null = null;
  readonly #trace: Trace;
  #words: Int32Array = new Int32Array(256 * WIDTH);
  #stamp: Float64Array = new Float64Array(256);
  #nrRows = 0;
  #nrOwned = 0;
  readonly #ownedBy = new Map<number, number>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** Rows are 0 … nrRows-1. */
  get nrRows(): number {
    return this.#nrRows;
  }

  /** Number of frames that somebody owns. */
  get nrOwned(): number {
    return this.#nrOwned;
  }

  /** Number of frames of a domain, pages of the hypervisor's heap not counted. */
  ownedBy(domid: number): number {
    return this.#ownedBy.get(domid) ?? 0;
  }

  /** Bytes that the rows take in the model. */
  get bytesHeld(): number {
    return this.#words.byteLength + this.#stamp.byteLength + this.m2p.byteLength;
  }

  mfn(row: number): Mfn {
    return this.#words[row * WIDTH]! as Mfn;
  }

  /** Domain, or {@linkcode NO_OWNER}. */
  owner(row: number): number {
    return this.#words[row * WIDTH + OWNER]!;
  }

  /** References. */
  count(row: number): number {
    return this.#words[row * WIDTH + COUNT]!;
  }

  /** `PGT_*`. */
  type(row: number): number {
    return this.#words[row * WIDTH + TYPE]!;
  }

  /** Uses of the type. */
  typeCount(row: number): number {
    return this.#words[row * WIDTH + TYPE_COUNT]!;
  }

  /** One of the flags above. */
  has(row: number, flag: number): boolean {
    return (this.#words[row * WIDTH + FLAGS]! & flag) !== 0;
  }

  /** Sets or clears a flag. */
  set(row: number, flag: number, on: boolean): void {
    const at = row * WIDTH + FLAGS;
    this.#words[at] = on ? this.#words[at]! | flag : this.#words[at]! & ~flag;
  }

  /** Host mappings through grants; for the leak record only, Xen has no such number. */
  grantMaps(row: number): number {
    return this.#words[row * WIDTH + GRANT_MAPS]!;
  }

  /** Steps {@linkcode grantMaps}. */
  addGrantMaps(row: number, by: 1 | -1): void {
    this.#words[row * WIDTH + GRANT_MAPS]! += by;
  }

  /** TLB-flush clock at the time the type count last became 0. */
  stamp(row: number): number {
    return this.#stamp[row]!;
  }

  /** Sets {@linkcode stamp}. */
  setStamp(row: number, time: number): void {
    this.#stamp[row] = time;
  }

  /** Takes a reference if `domid` owns the frame. @cite xen 4.17 xen/arch/x86/mm.c get_page */
  getPage(row: number, domid: number): boolean {
    const words = this.#words;
    const at = row * WIDTH;
    if (words[at + OWNER] !== domid || words[at + COUNT]! <= 0) return false;
    words[at + COUNT]!++;
    this.#trace.one(EV.page_ref);
    return true;
  }

  /**
   * Takes a reference whoever owns the frame; answers the owner, {@linkcode NO_OWNER} if none was taken.
   *
   * @cite xen 4.17 xen/arch/x86/mm.c page_get_owner_and_reference
   */
  getOwnerAndReference(row: number): number {
    const words = this.#words;
    const at = row * WIDTH;
    if (words[at + COUNT]! <= 0) return NO_OWNER;
    words[at + COUNT]!++;
    this.#trace.one(EV.page_ref);
    return words[at + OWNER]!;
  }

  /** Drops a reference; the last one frees the frame. @cite xen 4.17 xen/arch/x86/mm.c put_page */
  putPage(row: number): void {
    this.#trace.one(EV.page_ref);
    if (--this.#words[row * WIDTH + COUNT]! === 0) this.#free(row);
  }

  #free(row: number): void {
    const at = row * WIDTH;
    const words = this.#words;
    const owner = words[at + OWNER]!;
    this.#nrOwned--;
    if ((words[at + FLAGS]! & XEN_HEAP) === 0) this.#ownedBy.set(owner, this.ownedBy(owner) - 1);
    words[at + OWNER] = NO_OWNER;
    words[at + TYPE] = PGT_none;
    words[at + TYPE_COUNT] = 0;
    words[at + FLAGS] = 0;
    this.m2p[row] = -1;
    if (this.onFree !== null) this.onFree(words[at]!);
  }

  /** True if the frame is in use as this, with checked contents: a type reference can be held for an update. */
  isLockedAs(row: number, type: number): boolean {
    const words = this.#words;
    const at = row * WIDTH;
    return words[at + TYPE_COUNT]! > 0 && words[at + TYPE] === type && (words[at + FLAGS]! & VALIDATED) !== 0;
  }

  /** One more use of a frame as what it is, or was last, with checked contents; false if it is not that. */
  addSameType(row: number, type: number): boolean {
    const words = this.#words;
    const at = row * WIDTH;
    if (words[at + TYPE] !== type || (words[at + FLAGS]! & VALIDATED) === 0) return false;
    words[at + TYPE_COUNT]!++;
    this.#trace.one(EV.page_type);
    return true;
  }

  /** Steps the uses of a frame down that is no page table, noting the time of the last one; false if it is one. */
  dropPlainType(row: number, now: number): boolean {
    const words = this.#words;
    const at = row * WIDTH;
    const type = words[at + TYPE]!;
    if (type >= PGT_l1_page_table && type <= PGT_l4_page_table) return false;
    this.#trace.one(EV.page_type);
    if (--words[at + TYPE_COUNT]! === 0) this.#stamp[row] = now;
    return true;
  }

  /** Steps the type count of a frame whose type fits or whose count is 0; the caller checked. */
  addTypeCount(row: number, type: number): void {
    this.#words[row * WIDTH + TYPE] = type;
    this.#words[row * WIDTH + TYPE_COUNT]!++;
    this.#trace.one(EV.page_type);
  }

  /** Steps the type count down and answers what is left. */
  dropTypeCount(row: number): number {
    this.#trace.one(EV.page_type);
    return --this.#words[row * WIDTH + TYPE_COUNT]!;
  }

  /** After a failed validation: no type, no count, not validated. */
  clearType(row: number): void {
    const at = row * WIDTH;
    this.#words[at + TYPE] = PGT_none;
    this.#words[at + TYPE_COUNT] = 0;
    this.set(row, VALIDATED | PINNED, false);
  }

  /** Gives an unowned frame to a domain. A page of the hypervisor's heap keeps a use as writable page for good. */
  assign(row: number, domid: number, pfn: number, xenHeap: boolean): void {
    const at = row * WIDTH;
    this.#nrOwned++;
    if (!xenHeap) this.#ownedBy.set(domid, this.ownedBy(domid) + 1);
    this.#words[at + OWNER] = domid;
    this.#words[at + COUNT] = 1;
    this.#words[at + TYPE] = xenHeap ? PGT_writable_page : PGT_none;
    this.#words[at + TYPE_COUNT] = xenHeap ? 1 : 0;
    this.#words[at + FLAGS] = ALLOCATED | (xenHeap ? XEN_HEAP | VALIDATED : 0);
    this.m2p[row] = pfn;
  }

  /** Gives an owned frame to another domain. */
  reassign(row: number, domid: number): void {
    const from = this.owner(row);
    this.#ownedBy.set(from, this.ownedBy(from) - 1);
    this.#ownedBy.set(domid, this.ownedBy(domid) + 1);
    this.#words[row * WIDTH + OWNER] = domid;
  }

  /** A row for a frame that has none: nobody owns it. */
  add(mfn: Mfn): number {
    const row = this.#nrRows++;
    this.#words = growInt32(this.#words, this.#nrRows * WIDTH);
    this.#stamp = growFloat64(this.#stamp, this.#nrRows);
    this.m2p = growFloat64(this.m2p, this.#nrRows);
    this.#words[row * WIDTH] = mfn;
    this.#words[row * WIDTH + OWNER] = NO_OWNER;
    return row;
  }

  /** All rows as columns, for saving. The columns are copies. */
  columns(): FrameColumns {
    const column = (word: number) =>
      Int32Array.from({ length: this.#nrRows }, (_, row) => this.#words[row * WIDTH + word]!);
    return {
      mfn: column(0),
      owner: column(OWNER),
      count: column(COUNT),
      type: column(TYPE),
      typeCount: column(TYPE_COUNT),
      flags: column(FLAGS),
      grantMaps: column(GRANT_MAPS),
      stamp: this.#stamp.slice(0, this.#nrRows),
      m2p: this.m2p.slice(0, this.#nrRows),
    };
  }

  /** Puts row `i` of saved columns into a row that was added. */
  restore(row: number, columns: FrameColumns, i: number): void {
    const at = row * WIDTH;
    const owner = columns.owner[i]!;
    this.#words[at + OWNER] = owner;
    this.#words[at + COUNT] = columns.count[i]!;
    this.#words[at + TYPE] = columns.type[i]!;
    this.#words[at + TYPE_COUNT] = columns.typeCount[i]!;
    this.#words[at + FLAGS] = columns.flags[i]!;
    this.#words[at + GRANT_MAPS] = columns.grantMaps[i]!;
    this.#stamp[row] = columns.stamp[i]!;
    this.m2p[row] = columns.m2p[i]!;
    if (owner === NO_OWNER) return;
    this.#nrOwned++;
    if (!this.has(row, XEN_HEAP)) this.#ownedBy.set(owner, this.ownedBy(owner) + 1);
  }
}
