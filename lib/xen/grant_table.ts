/**
 * A domain's grant table, the granter's side: the shared frames that hold the entries, and beside them, invisible to
 * guests, an *active entry* per reference: how the grant is in use, by whom, and which frame it was when the use
 * began. While pins exist, frame and user are the recorded ones; later changes by the guest are not looked at.
 *
 * A table starts with one frame and version 1, and only grows. Version 2 halves the entries of a frame and adds
 * status frames. Active entries are columns; what only a running copy needs is kept beside them, by reference.
 *
 * @cite xen 4.17 xen/common/grant_table.c grant_table
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { grantTableView } from "./views/grant_table_view.ts";
import { growInt32 } from "../core/columns.ts";
import { type Maddr, maddrOf, type Mfn } from "../core/frames.ts";
import {
  ENTRIES_V1_PER_FRAME,
  ENTRIES_V2_PER_FRAME,
  ENTRY_V1_SIZE,
  ENTRY_V2_SIZE,
  STATUS_WORDS_PER_FRAME,
} from "./grant_entry.ts";
import { type PhysMem, WORDS_PER_FRAME } from "../x86/phys_mem.ts";

/** What an active entry holds beyond pin, user and frame while a copy of part of a page, or of a grant of a grant, runs. */
export interface CopyUse {
  /** Bars mappings: the use is not of a whole page, or not of the granter's own. */
  readonly isSubPage: boolean;
  /** First byte that may be copied. */
  readonly start: number;
  /** Bytes that may be copied. */
  readonly length: number;
  /** Domain whose grant it is in the end. */
  readonly srcDomid: number;
  /** Reference of that grant. */
  readonly transGref: number;
}

/** Where a table gets its frames and gives them back. */
export interface GrantTableMemory {
  allocate(): Mfn;
  free(frame: Mfn): void;
}

/** A slot that no memory has. */
const NO_SLOT = -1;

/** Status frames that this many shared frames need. @cite xen 4.17 xen/common/grant_table.c grant_to_status_frames */
export function grantToStatusFrames(nrFrames: number): number {
  return Math.ceil(nrFrames * ENTRIES_V2_PER_FRAME / STATUS_WORDS_PER_FRAME);
}

/** The frames of a table that was saved. */
export interface SavedGrantTable {
  readonly version: 1 | 2;
  readonly sharedFrames: readonly number[];
  readonly statusFrames: readonly number[];
}

/** The table of one domain. */
export class GrantTable extends Shown {
  /** Version of the entries: 1 or 2. */
  version: 1 | 2 = 1;
  /** Frames that it may grow to. */
  readonly maxFrames: number;
  /** Frames that hold the entries, in order. */
  readonly sharedFrames: Mfn[] = [];
  /** Frames that hold the status words of version 2, in order; none in version 1. */
  readonly statusFrames: Mfn[] = [];
  /** Active entries: pin word, see `pin.ts`. */
  pin: Int32Array = new Int32Array(ENTRIES_V1_PER_FRAME);
  /** Active entries: domain that uses the grant while pin ≠ 0. */
  domid: Int32Array = new Int32Array(ENTRIES_V1_PER_FRAME);
  /** Active entries: frame in use while pin ≠ 0. */
  mfn: Int32Array = new Int32Array(ENTRIES_V1_PER_FRAME);
  /** Active entries: what running copies of version-2 entries add, by reference; absent: a whole page of the granter's. */
  readonly copies: Map<number, CopyUse> = new Map();
  /** Copies from or to version-2 entries that run. @cite xen 4.23 xen/common/grant_table.c nr_v2_ops */
  nrV2Ops = 0;
  /**
   * Called between Xen's reading of an entry and its compare-and-exchange (version 2: its second look): the place
   * where a guest on another CPU can step in. For two-actor scripts; null in ordinary runs.
   */
  race: ((ref: number) => void) | null = null;
  readonly #memory: GrantTableMemory;
  /** Where the content of each shared frame was in machine memory when it was last looked for. */
  #slots: Int32Array = new Int32Array(1).fill(NO_SLOT);

  /** @param options `saved`: the frames of a table that was saved, instead of a new one */
  constructor(options: { maxFrames: number; memory: GrantTableMemory; saved?: SavedGrantTable }) {
    super();
    this.maxFrames = options.maxFrames;
    this.#memory = options.memory;
    const { saved } = options;
    if (saved !== undefined) {
      this.version = saved.version;
      this.sharedFrames.push(...saved.sharedFrames as Mfn[]);
      this.statusFrames.push(...saved.statusFrames as Mfn[]);
    }
    this.grow(saved === undefined ? 1 : 0);
  }

  /** Frames in use. */
  get nrFrames(): number {
    return this.sharedFrames.length;
  }

  /** Bytes that the active entries take in the model; the entries themselves are in machine memory. */
  get bytesHeld(): number {
    return this.pin.byteLength + this.domid.byteLength + this.mfn.byteLength + this.#slots.byteLength;
  }

  /** Entries of a frame. */
  get entriesPerFrame(): number {
    return this.version === 1 ? ENTRIES_V1_PER_FRAME : ENTRIES_V2_PER_FRAME;
  }

  /** References 0 … nrEntries-1 exist. @cite xen 4.17 xen/common/grant_table.c nr_grant_entries */
  get nrEntries(): number {
    return this.sharedFrames.length * this.entriesPerFrame;
  }

  /** Machine address of the entry of a reference below `nrEntries`. */
  entry(ref: number): Maddr {
    if (this.version === 1) {
      const frame = this.sharedFrames[ref / ENTRIES_V1_PER_FRAME | 0]!;
      return maddrOf(frame, ref % ENTRIES_V1_PER_FRAME * ENTRY_V1_SIZE);
    }
    const frame = this.sharedFrames[ref / ENTRIES_V2_PER_FRAME | 0]!;
    return maddrOf(frame, ref % ENTRIES_V2_PER_FRAME * ENTRY_V2_SIZE);
  }

  /** Index in the memory's words of the first word of the entry. */
  entryIndex(mem: PhysMem, ref: number): number {
    return this.version === 1
      ? this.#slotOf(mem, ref >>> 9) * WORDS_PER_FRAME + (ref & 0x1ff) * 2
      : this.#slotOf(mem, ref >>> 8) * WORDS_PER_FRAME + (ref & 0xff) * 4;
  }

  /** Index in the memory's words of the word with the in-use bits; they lie {@linkcode statusShift} bits up. */
  statusIndex(mem: PhysMem, ref: number): number {
    if (this.version === 1) return this.entryIndex(mem, ref);
    const frame = this.statusFrames[ref / STATUS_WORDS_PER_FRAME | 0]!;
    return mem.makeWord(frame, ref % STATUS_WORDS_PER_FRAME * 2);
  }

  /** Where in its word the 16-bit word with the in-use bits begins. */
  statusShift(ref: number): number {
    return this.version === 1 ? 0 : (ref & 1) * 16;
  }

  /** The slot of the shared frame `n`. Guests may give a page's content up, so what is remembered is checked. */
  #slotOf(mem: PhysMem, n: number): number {
    const slot = this.#slots[n]!;
    return mem.mfnOfSlot(slot) === this.sharedFrames[n] ? slot : this.#findSlot(mem, n);
  }

  #findSlot(mem: PhysMem, n: number): number {
    return this.#slots[n] = mem.makeSlot(this.sharedFrames[n]!);
  }

  /** Machine address of the 16-bit word with the in-use bits: the entry's flags, or the status word of version 2. */
  statusWord(ref: number): Maddr {
    if (this.version === 1) return this.entry(ref);
    const frame = this.statusFrames[ref / STATUS_WORDS_PER_FRAME | 0]!;
    return maddrOf(frame, ref % STATUS_WORDS_PER_FRAME * 2);
  }

  /** Frames that growing to `nrFrames` would take. */
  missingFrames(nrFrames: number): number {
    if (nrFrames <= this.nrFrames) return 0;
    const status = this.version === 1 ? 0 : grantToStatusFrames(nrFrames) - this.statusFrames.length;
    return nrFrames - this.nrFrames + status;
  }

  /** Grows to `nrFrames` frames, at most `maxFrames` (the caller checked). @cite xen 4.17 xen/common/grant_table.c gnttab_grow_table */
  grow(nrFrames: number): void {
    while (this.sharedFrames.length < nrFrames) this.sharedFrames.push(this.#memory.allocate());
    if (this.version === 2) this.populateStatusFrames();
    const size = this.sharedFrames.length * ENTRIES_V1_PER_FRAME;
    this.pin = growInt32(this.pin, size);
    this.domid = growInt32(this.domid, size);
    this.mfn = growInt32(this.mfn, size);
    this.#slots = growInt32(this.#slots, this.sharedFrames.length, NO_SLOT);
  }

  /** Allocates the status frames that are missing. @cite xen 4.17 xen/common/grant_table.c gnttab_populate_status_frames */
  populateStatusFrames(): void {
    const wanted = grantToStatusFrames(this.nrFrames);
    while (this.statusFrames.length < wanted) this.statusFrames.push(this.#memory.allocate());
  }

  /** Gives the status frames back. @cite xen 4.17 xen/common/grant_table.c gnttab_unpopulate_status_frames */
  unpopulateStatusFrames(): void {
    for (const frame of this.statusFrames.splice(0)) this.#memory.free(frame);
  }

  /** Gives all frames back, when the domain is no more. @cite xen 4.17 xen/common/grant_table.c grant_table_destroy */
  destroy(): void {
    this.unpopulateStatusFrames();
    for (const frame of this.sharedFrames.splice(0)) this.#memory.free(frame);
  }

  override [viewOf](): View {
    return grantTableView(this);
  }
}
