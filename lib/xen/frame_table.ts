/**
 * The frame table: for every frame who owns it, how many references exist, what it is used as and how many uses of that
 * kind exist. A row is made when a frame is first given to somebody; what a row holds is in `page_info.ts`, here it is
 * found by frame number.
 *
 * - *reference count*: keeps the frame allocated. The allocation itself holds one (`isAllocated`).
 * - *type*, exclusive, with its own count: a frame changes type only while the type count is 0, so what is a page
 *   table can never be mapped writable.
 *
 * Here are the counts only; what it means to take a type (validation, TLB flush) is in `mmu/page_type.ts`.
 *
 * @cite xen 4.17 xen/arch/x86/include/asm/mm.h PGT_type_mask
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { frameTableView } from "./views/frame_table_view.ts";
import type { Mfn } from "../core/frames.ts";
import { IntMap } from "../core/int_map.ts";
import { outOfRange } from "../core/misuse.ts";
import type { Trace } from "../trace/trace.ts";
import {
  ALLOCATED,
  type FrameColumns,
  NO_OWNER,
  PageInfo,
  PINNED,
  VALIDATED,
  XEN_HEAP,
} from "./page_info.ts";
import { PAGE_TYPES, PGT_none } from "./pgt.ts";

export * from "./pgt.ts";
export { type FrameColumns, NO_OWNER } from "./page_info.ts";

/** The table of one machine of `nrFrames` frames. */
export class FrameTable extends Shown {
  readonly nrFrames: number;
  /** The rows. */
  readonly info: PageInfo;
  readonly #rows = new IntMap(256);
  #lastMfn = -1;
  #lastRow = -1;

  constructor(nrFrames: number, trace: Trace) {
    super();
    this.nrFrames = nrFrames;
    this.info = new PageInfo(trace);
  }

  /** Number of frames that were ever given to somebody; rows are 0 … nrRows-1. */
  get nrRows(): number {
    return this.info.nrRows;
  }

  /** Number of frames that somebody owns. */
  get nrOwned(): number {
    return this.info.nrOwned;
  }

  /** Number of frames of a domain, pages of the hypervisor's heap not counted. @cite xen 4.17 xen/include/xen/sched.h domain_tot_pages */
  ownedBy(domid: number): number {
    return this.info.ownedBy(domid);
  }

  /** True if there is RAM behind `mfn`. @cite xen 4.17 xen/arch/x86/include/asm/mm.h mfn_valid */
  isValid(mfn: number): boolean {
    return mfn >= 0 && mfn < this.nrFrames;
  }

  /** Row of a frame, or -1. */
  rowOf(mfn: number): number {
    // operations look at one frame several times in a row; rows never go, so what was found stays true
    if (mfn === this.#lastMfn) return this.#lastRow;
    const row = mfn >= 0 && mfn < this.nrFrames ? this.#rows.get(mfn) : -1;
    if (row >= 0) {
      this.#lastMfn = mfn;
      this.#lastRow = row;
    }
    return row;
  }

  /** Frame of a row. */
  mfnOfRow(row: number): Mfn {
    return this.info.mfn(row);
  }

  /** Domain that owns the frame, or {@linkcode NO_OWNER}. */
  owner(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? NO_OWNER : this.info.owner(row);
  }

  /** References. */
  count(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? 0 : this.info.count(row);
  }

  /** `PGT_*`. */
  type(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? PGT_none : this.info.type(row);
  }

  /** Uses of the type. */
  typeCount(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? 0 : this.info.typeCount(row);
  }

  isPinned(mfn: number): boolean {
    return this.#has(mfn, PINNED);
  }

  isValidated(mfn: number): boolean {
    return this.#has(mfn, VALIDATED);
  }

  isAllocated(mfn: number): boolean {
    return this.#has(mfn, ALLOCATED);
  }

  isXenHeap(mfn: number): boolean {
    return this.#has(mfn, XEN_HEAP);
  }

  /** Host mappings through grants of this frame; for the leak record only, Xen has no such number. */
  grantMaps(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? 0 : this.info.grantMaps(row);
  }

  /** Steps {@linkcode grantMaps}. */
  addGrantMaps(mfn: number, by: 1 | -1): void {
    this.info.addGrantMaps(this.rowThere(mfn), by);
  }

  /** True if a type reference can be held for an update: there is one already, of checked contents. */
  isLockable(mfn: number): boolean {
    return this.typeCount(mfn) > 0 && this.isValidated(mfn);
  }

  /**
   * Gives an unowned frame to a domain; the allocation holds the first reference. A heap page that Xen shares with a
   * guest keeps a use as writable page for good, so it never becomes a page table.
   *
   * @cite xen 4.17 xen/arch/x86/mm.c share_xen_page_with_guest
   */
  assign(mfn: Mfn, domid: number, pfn: number, xenHeap: boolean): void {
    if (!this.isValid(mfn)) throw outOfRange("allocate frame", mfn, `there are ${this.nrFrames} frames`);
    let row = this.#rows.get(mfn);
    if (row < 0) row = this.#addRow(mfn);
    const owner = this.info.owner(row);
    if (owner !== NO_OWNER) throw outOfRange("allocate frame", mfn, `domain ${owner} owns it`);
    this.info.assign(row, domid, pfn, xenHeap);
  }

  /** Takes a reference if `domid` owns the frame. @cite xen 4.17 xen/arch/x86/mm.c get_page */
  getPage(mfn: number, domid: number): boolean {
    const row = this.rowOf(mfn);
    return row >= 0 && this.info.getPage(row, domid);
  }

  /**
   * Takes a reference whoever owns the frame; answers the owner, {@linkcode NO_OWNER} if none was taken.
   *
   * @cite xen 4.17 xen/arch/x86/mm.c page_get_owner_and_reference
   */
  getOwnerAndReference(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? NO_OWNER : this.info.getOwnerAndReference(row);
  }

  /** Drops a reference; the last one frees the frame. @cite xen 4.17 xen/arch/x86/mm.c put_page */
  putPage(mfn: number): void {
    this.info.putPage(this.rowThere(mfn));
  }

  /** Drops the reference that the allocation holds, if it still does. @cite xen 4.17 xen/arch/x86/include/asm/mm.h put_page_alloc_ref */
  putAllocation(mfn: number): void {
    if (!this.#has(mfn, ALLOCATED)) return;
    this.info.set(this.rowThere(mfn), ALLOCATED, false);
    this.putPage(mfn);
  }

  /** Gives a frame that only its allocation holds to another domain. @cite xen 4.17 xen/common/page_alloc.c assign_pages */
  reassign(mfn: number, domid: number): void {
    this.info.reassign(this.rowThere(mfn), domid);
  }

  setPinned(mfn: number, on: boolean): void {
    this.info.set(this.rowThere(mfn), PINNED, on);
  }

  /** All rows as columns, for saving. The columns are copies. */
  columns(): FrameColumns {
    return this.info.columns();
  }

  /** Puts saved rows into a table that has none. */
  restore(columns: FrameColumns): void {
    for (let i = 0; i < columns.mfn.length; i++) {
      this.info.restore(this.#addRow(columns.mfn[i]! as Mfn), columns, i);
    }
  }

  /** Row of a frame that was owned once. @throws {RangeError} if it never was */
  rowThere(mfn: number): number {
    const row = this.rowOf(mfn);
    if (row < 0) throw outOfRange("count uses of frame", mfn, "nobody ever owned it");
    return row;
  }

  #has(mfn: number, flag: number): boolean {
    const row = this.rowOf(mfn);
    return row >= 0 && this.info.has(row, flag);
  }

  #addRow(mfn: Mfn): number {
    const row = this.info.add(mfn);
    this.#rows.set(mfn, row);
    return row;
  }

  override [viewOf](): View {
    return frameTableView(this, PAGE_TYPES);
  }
}
