/**
 * A domain's grant table, the granter's side: the shared frames that hold the entries, and beside them, invisible to
 * guests, an *active entry* per reference: how the grant is in use, by whom, and which frame it was when the use
 * began. While pins exist, frame and user are the recorded ones; later changes by the guest are not looked at.
 *
 * A table starts with one frame and only grows.
 *
 * @cite xen 4.17 xen/common/grant_table.c grant_table
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { grantTableView } from "./views/grant_table_view.ts";
import { growFloat64, growInt32 } from "../core/columns.ts";
import { type Maddr, maddrOf, type Mfn } from "../core/frames.ts";
import { ENTRIES_V1_PER_FRAME, ENTRY_V1_SIZE } from "./grant_entry.ts";

/** The table of one domain. */
export class GrantTable extends Shown {
  /** Version of the entries. */
  readonly version = 1;
  /** Frames that it may grow to. */
  readonly maxFrames: number;
  /** Frames that hold the entries, in order. */
  readonly sharedFrames: Mfn[] = [];
  /** Active entries: pin word, see `pin.ts`. */
  pin: Int32Array = new Int32Array(ENTRIES_V1_PER_FRAME);
  /** Active entries: domain that uses the grant while pin ≠ 0. */
  domid: Int32Array = new Int32Array(ENTRIES_V1_PER_FRAME);
  /** Active entries: frame in use while pin ≠ 0. */
  mfn: Float64Array = new Float64Array(ENTRIES_V1_PER_FRAME);
  /**
   * Called between Xen's reading of an entry and its compare-and-exchange: the place where a guest on another CPU
   * can step in. For two-actor scripts; null in ordinary runs.
   */
  race: ((ref: number) => void) | null = null;
  readonly #allocate: () => Mfn;

  constructor(options: { maxFrames: number; allocate: () => Mfn }) {
    super();
    this.maxFrames = options.maxFrames;
    this.#allocate = options.allocate;
    this.grow(1);
  }

  /** Frames in use. */
  get nrFrames(): number {
    return this.sharedFrames.length;
  }

  /** References 0 … nrEntries-1 exist. @cite xen 4.17 xen/common/grant_table.c nr_grant_entries */
  get nrEntries(): number {
    return this.sharedFrames.length * ENTRIES_V1_PER_FRAME;
  }

  /** Machine address of the entry of a reference below `nrEntries`. */
  entry(ref: number): Maddr {
    const frame = this.sharedFrames[Math.floor(ref / ENTRIES_V1_PER_FRAME)]!;
    return maddrOf(frame, ref % ENTRIES_V1_PER_FRAME * ENTRY_V1_SIZE);
  }

  /** Grows to `nrFrames` frames, at most `maxFrames` (the caller checked). @cite xen 4.17 xen/common/grant_table.c gnttab_grow_table */
  grow(nrFrames: number): void {
    while (this.sharedFrames.length < nrFrames) this.sharedFrames.push(this.#allocate());
    this.pin = growInt32(this.pin, this.nrEntries);
    this.domid = growInt32(this.domid, this.nrEntries);
    this.mfn = growFloat64(this.mfn, this.nrEntries);
  }

  override [viewOf](): View {
    return grantTableView(this);
  }
}
