/**
 * The frame table (`struct page_info`): for every frame who owns it, how many references exist, what it is used as
 * and how many uses of that kind exist. Columns; a row is made when a frame is first given to somebody.
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
import { growFloat64, growInt32 } from "../core/columns.ts";
import type { Mfn } from "../core/frames.ts";
import { IntMap } from "../core/int_map.ts";
import { outOfRange } from "../core/misuse.ts";
import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { PAGE_TYPES, PGT_l1_page_table, PGT_l4_page_table, PGT_none, PGT_writable_page } from "./pgt.ts";

export * from "./pgt.ts";

/** Owner of a frame that nobody owns. */
export const NO_OWNER = -1;

/** Flag: the guest asked to keep the table validated. */
const PINNED = 1;
/** Flag: contents checked for the type. */
const VALIDATED = 2;
/** Flag: the allocation holds a reference. */
const ALLOCATED = 4;
/** Flag: page of the hypervisor's heap, shared with a guest. */
const XEN_HEAP = 8;

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

/** The table of one machine of `nrFrames` frames. */
export class FrameTable extends Shown {
  readonly nrFrames: number;
  readonly #trace: Trace;
  readonly #rows = new IntMap(256);
  #lastMfn = -1;
  #lastRow = -1;
  #nrRows = 0;
  #nrOwned = 0;
  #mfn: Float64Array = new Float64Array(256);
  #owner: Int32Array = new Int32Array(256);
  #count: Int32Array = new Int32Array(256);
  #type: Int32Array = new Int32Array(256);
  #typeCount: Int32Array = new Int32Array(256);
  #flags: Int32Array = new Int32Array(256);
  #grantMaps: Int32Array = new Int32Array(256);
  #stamp: Float64Array = new Float64Array(256);
  readonly #ownedBy = new Map<number, number>();
  /** Machine-to-physical entries by row; read through `M2p`. */
  m2p: Float64Array = new Float64Array(256);
  /** Told of each frame that nobody holds any more: its content goes. */
  onFree: ((mfn: number) => void) | null = null;

  constructor(nrFrames: number, trace: Trace) {
    super();
    this.nrFrames = nrFrames;
    this.#trace = trace;
  }

  /** Number of frames that were ever given to somebody; rows are 0 … nrRows-1. */
  get nrRows(): number {
    return this.#nrRows;
  }

  /** Number of frames that somebody owns. */
  get nrOwned(): number {
    return this.#nrOwned;
  }

  /** Number of frames of a domain, pages of the hypervisor's heap not counted. @cite xen 4.17 xen/include/xen/sched.h domain_tot_pages */
  ownedBy(domid: number): number {
    return this.#ownedBy.get(domid) ?? 0;
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
    return this.#mfn[row]! as Mfn;
  }

  /** Domain that owns the frame, or {@linkcode NO_OWNER}. */
  owner(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? NO_OWNER : this.#owner[row]!;
  }

  /** References. */
  count(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? 0 : this.#count[row]!;
  }

  /** `PGT_*`. */
  type(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? PGT_none : this.#type[row]!;
  }

  /** Uses of the type. */
  typeCount(mfn: number): number {
    const row = this.rowOf(mfn);
    return row < 0 ? 0 : this.#typeCount[row]!;
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
    return row < 0 ? 0 : this.#grantMaps[row]!;
  }

  /** Steps {@linkcode grantMaps}. */
  addGrantMaps(mfn: number, by: 1 | -1): void {
    this.#grantMaps[this.#rowThere(mfn)]! += by;
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
    if (this.#owner[row] !== NO_OWNER) {
      throw outOfRange("allocate frame", mfn, `domain ${this.#owner[row]} owns it`);
    }
    this.#nrOwned++;
    if (!xenHeap) this.#ownedBy.set(domid, this.ownedBy(domid) + 1);
    this.#owner[row] = domid;
    this.#count[row] = 1;
    this.#type[row] = xenHeap ? PGT_writable_page : PGT_none;
    this.#typeCount[row] = xenHeap ? 1 : 0;
    this.#flags[row] = ALLOCATED | (xenHeap ? XEN_HEAP | VALIDATED : 0);
    this.m2p[row] = pfn;
  }

  /**
   * Takes a reference if `domid` owns the frame.
   *
   * @cite xen 4.17 xen/arch/x86/mm.c get_page
   */
  getPage(mfn: number, domid: number): boolean {
    const row = this.rowOf(mfn);
    if (row < 0 || this.#owner[row] !== domid || this.#count[row]! <= 0) return false;
    this.#count[row]!++;
    this.#trace.add(EV.page_ref);
    return true;
  }

  /**
   * Takes a reference whoever owns the frame; answers the owner, {@linkcode NO_OWNER} if none was taken.
   *
   * @cite xen 4.17 xen/arch/x86/mm.c page_get_owner_and_reference
   */
  getOwnerAndReference(mfn: number): number {
    const row = this.rowOf(mfn);
    if (row < 0 || this.#count[row]! <= 0) return NO_OWNER;
    this.#count[row]!++;
    this.#trace.add(EV.page_ref);
    return this.#owner[row]!;
  }

  /** Drops a reference; the last one frees the frame. @cite xen 4.17 xen/arch/x86/mm.c put_page */
  putPage(mfn: number): void {
    const row = this.#rowThere(mfn);
    this.#trace.add(EV.page_ref);
    if (--this.#count[row]! > 0) return;
    const owner = this.#owner[row]!;
    this.#nrOwned--;
    if ((this.#flags[row]! & XEN_HEAP) === 0) this.#ownedBy.set(owner, this.ownedBy(owner) - 1);
    this.#owner[row] = NO_OWNER;
    this.#type[row] = PGT_none;
    this.#typeCount[row] = 0;
    this.#flags[row] = 0;
    this.m2p[row] = -1;
    if (this.onFree !== null) this.onFree(mfn);
  }

  /** True if the frame is in use as this, with checked contents: a type reference can be held for an update. */
  isLockedAs(mfn: number, type: number): boolean {
    const row = this.rowOf(mfn);
    return row >= 0 && this.#typeCount[row]! > 0 && this.#type[row] === type &&
      (this.#flags[row]! & VALIDATED) !== 0;
  }

  /** One more use of a frame as what it is, or was last, with checked contents; false if it is not that. */
  addSameType(mfn: number, type: number): boolean {
    const row = this.rowOf(mfn);
    if (row < 0 || this.#type[row] !== type || (this.#flags[row]! & VALIDATED) === 0) return false;
    this.#typeCount[row]!++;
    this.#trace.add(EV.page_type);
    return true;
  }

  /** Steps the uses of a frame down that is no page table, noting the time of the last one; false if it is one. */
  dropPlainType(mfn: number, now: number): boolean {
    const row = this.#rowThere(mfn);
    const type = this.#type[row]!;
    if (type >= PGT_l1_page_table && type <= PGT_l4_page_table) return false;
    this.#trace.add(EV.page_type);
    if (--this.#typeCount[row]! === 0) this.#stamp[row] = now;
    return true;
  }

  /** Drops the reference that the allocation holds, if it still does. @cite xen 4.17 xen/arch/x86/include/asm/mm.h put_page_alloc_ref */
  putAllocation(mfn: number): void {
    if (!this.#has(mfn, ALLOCATED)) return;
    this.#set(mfn, ALLOCATED, false);
    this.putPage(mfn);
  }

  /** Gives a frame that only its allocation holds to another domain. @cite xen 4.17 xen/common/page_alloc.c assign_pages */
  reassign(mfn: number, domid: number): void {
    const row = this.#rowThere(mfn);
    const from = this.#owner[row]!;
    this.#ownedBy.set(from, this.ownedBy(from) - 1);
    this.#ownedBy.set(domid, this.ownedBy(domid) + 1);
    this.#owner[row] = domid;
  }

  /** Steps the type count of a frame whose type fits or whose count is 0; the caller checked. */
  addTypeCount(mfn: number, type: number): void {
    const row = this.#rowThere(mfn);
    this.#type[row] = type;
    this.#typeCount[row]!++;
    this.#trace.add(EV.page_type);
  }

  /** Steps the type count down and answers what is left. */
  dropTypeCount(mfn: number): number {
    this.#trace.add(EV.page_type);
    return --this.#typeCount[this.#rowThere(mfn)]!;
  }

  /** After a failed validation: no type, no count, not validated. */
  clearType(mfn: number): void {
    const row = this.#rowThere(mfn);
    this.#type[row] = PGT_none;
    this.#typeCount[row] = 0;
    this.#flags[row] = this.#flags[row]! & ~(VALIDATED | PINNED);
  }

  setValidated(mfn: number, on: boolean): void {
    this.#set(mfn, VALIDATED, on);
  }

  setPinned(mfn: number, on: boolean): void {
    this.#set(mfn, PINNED, on);
  }

  /** TLB-flush clock at the time the type count last became 0. */
  stamp(mfn: number): number {
    return this.#stamp[this.#rowThere(mfn)]!;
  }

  /** Sets {@linkcode stamp}. */
  setStamp(mfn: number, time: number): void {
    this.#stamp[this.#rowThere(mfn)] = time;
  }

  /** All rows as columns, for saving. The columns are copies. */
  columns(): FrameColumns {
    const n = this.#nrRows;
    return {
      mfn: this.#mfn.slice(0, n),
      owner: this.#owner.slice(0, n),
      count: this.#count.slice(0, n),
      type: this.#type.slice(0, n),
      typeCount: this.#typeCount.slice(0, n),
      flags: this.#flags.slice(0, n),
      grantMaps: this.#grantMaps.slice(0, n),
      stamp: this.#stamp.slice(0, n),
      m2p: this.m2p.slice(0, n),
    };
  }

  /** Puts saved rows into a table that has none. */
  restore(columns: FrameColumns): void {
    for (let i = 0; i < columns.mfn.length; i++) {
      const row = this.#addRow(columns.mfn[i]! as Mfn);
      const owner = columns.owner[i]!;
      this.#owner[row] = owner;
      this.#count[row] = columns.count[i]!;
      this.#type[row] = columns.type[i]!;
      this.#typeCount[row] = columns.typeCount[i]!;
      this.#flags[row] = columns.flags[i]!;
      this.#grantMaps[row] = columns.grantMaps[i]!;
      this.#stamp[row] = columns.stamp[i]!;
      this.m2p[row] = columns.m2p[i]!;
      if (owner === NO_OWNER) continue;
      this.#nrOwned++;
      if ((columns.flags[i]! & XEN_HEAP) === 0) this.#ownedBy.set(owner, this.ownedBy(owner) + 1);
    }
  }

  #has(mfn: number, flag: number): boolean {
    const row = this.rowOf(mfn);
    return row >= 0 && (this.#flags[row]! & flag) !== 0;
  }

  #set(mfn: number, flag: number, on: boolean): void {
    const row = this.#rowThere(mfn);
    this.#flags[row] = on ? this.#flags[row]! | flag : this.#flags[row]! & ~flag;
  }

  #rowThere(mfn: number): number {
    const row = this.rowOf(mfn);
    if (row < 0) throw outOfRange("count uses of frame", mfn, "nobody ever owned it");
    return row;
  }

  #addRow(mfn: Mfn): number {
    const row = this.#nrRows++;
    const size = this.#nrRows;
    this.#mfn = growFloat64(this.#mfn, size);
    this.#owner = growInt32(this.#owner, size);
    this.#count = growInt32(this.#count, size);
    this.#type = growInt32(this.#type, size);
    this.#typeCount = growInt32(this.#typeCount, size);
    this.#flags = growInt32(this.#flags, size);
    this.#grantMaps = growInt32(this.#grantMaps, size);
    this.#stamp = growFloat64(this.#stamp, size);
    this.m2p = growFloat64(this.m2p, size);
    this.#rows.set(mfn, row);
    this.#mfn[row] = mfn;
    this.#owner[row] = NO_OWNER;
    return row;
  }

  override [viewOf](): View {
    return frameTableView(this, PAGE_TYPES);
  }
}
