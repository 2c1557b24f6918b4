/**
 * Maptrack: the mapper's side. One entry per mapping, named by its handle: which grant of which domain, with which
 * flags. Flags 0 = free; then `ref` links the free list.
 *
 * Each vCPU has its own free list. One entry always stays in a list, as its tail: an entry that is given back is
 * appended after it. A list that has run dry gets a new page of 256 entries, then steals from another vCPU.
 *
 * ```text
 *  head                                  tail
 *   │                                     │
 *  ┌▼──┐   ┌───┐   ┌───┐               ┌──▼┐
 *  │ 7 ├──►│ 8 ├──►│ 9 ├──► … ────────►│ 3 ├──► TAIL      taken at the head, given back behind the tail
 *  └───┘   └───┘   └───┘               └───┘
 * ```
 *
 * @cite xen 4.17 xen/common/grant_table.c get_maptrack_handle
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { maptrackView } from "./views/maptrack_view.ts";
import { growFloat64, growInt32 } from "../core/columns.ts";
import { Rng } from "../core/rng.ts";
import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { GNTMAP_device_map, GNTMAP_host_map } from "./abi.ts";

/** Entries of 16 bytes in a page. @cite xen 4.17 xen/common/grant_table.c MAPTRACK_PER_PAGE */
export const MAPTRACK_PER_PAGE = 256;

/** How a release keeps its free handles. */
export interface MaptrackPlan {
  readonly name: string;
  /** Handles in a page. */
  readonly perPage: number;
  /** A list keeps its last handle as tail and takes handles back behind it; else it takes them back at its head. */
  readonly keepsTail: boolean;
}

/** Since June 2015: as the picture above. @cite xen 4.17 xen/common/grant_table.c put_maptrack_handle */
export const queuedHandles: MaptrackPlan = Object.freeze({
  name: "queued_handles",
  perPage: MAPTRACK_PER_PAGE,
  keepsTail: true,
});

/**
 * Before: entries of 8 bytes, and a stack: the handle given back last is taken first, and none stays behind.
 *
 * @cite xen 4.5 xen/common/grant_table.c put_maptrack_handle
 */
export const stackedHandles: MaptrackPlan = Object.freeze({
  name: "stacked_handles",
  perPage: 512,
  keepsTail: false,
});
/** Link of the last free entry. @cite xen 4.17 xen/common/grant_table.c MAPTRACK_TAIL */
const MAPTRACK_TAIL = -1;
/** No handle. */
export const INVALID_MAPTRACK_HANDLE = -1;

/** Value of `hostPte` while there is no host mapping. */
export const NO_PTE = -1;
/** Value of `hostPte` after the guest destroyed the entry behind Xen's back. */
export const LEAKED_PTE = -2;

/**
 * An entry is four words side by side, 16 bytes as in Xen.
 *
 * ```text
 *  0                      1       2         3
 * ┌──────────────────────┬───────┬─────────┬──────┐
 * │ ref, or the next one │ flags │ granter │ vCPU │
 * └──────────────────────┴───────┴─────────┴──────┘
 * ```
 */
const WIDTH = 4;
const REF = 0;
const FLAGS = 1;
const DOMID = 2;
const VCPU = 3;

/** A maptrack as columns: one entry a handle; heads and tails of the lists; handles taken; the lot's state. */
export interface MaptrackColumns {
  readonly ref: ArrayLike<number>;
  readonly flags: ArrayLike<number>;
  readonly domid: ArrayLike<number>;
  readonly vcpu: ArrayLike<number>;
  readonly hostPte: ArrayLike<number>;
  readonly head: ArrayLike<number>;
  readonly tail: ArrayLike<number>;
  readonly live: ArrayLike<number>;
  readonly lot: ArrayLike<number>;
}

/** The mappings of one domain. */
export class Maptrack extends Shown {
  /** Pages that it may grow to. */
  readonly maxFrames: number;
  readonly plan: MaptrackPlan;
  readonly #trace: Trace;
  readonly #rng: Rng;
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  #limit = 0;
  #live = 0;
  #entries: Int32Array = new Int32Array(MAPTRACK_PER_PAGE * WIDTH);
  #hostPte: Float64Array = new Float64Array(MAPTRACK_PER_PAGE).fill(NO_PTE);

  constructor(
    options: { maxFrames: number; vcpus: number; trace: Trace; seed: number; plan?: MaptrackPlan },
  ) {
    super();
    this.plan = options.plan ?? queuedHandles;
    this.maxFrames = options.maxFrames;
    this.#trace = options.trace;
    this.#rng = new Rng(options.seed);
    this.#head = new Int32Array(options.vcpus).fill(MAPTRACK_TAIL);
    this.#tail = new Int32Array(options.vcpus).fill(MAPTRACK_TAIL);
  }

  /** Handles below this exist. */
  get limit(): number {
    return this.#limit;
  }

  /** Handles taken and not given back. */
  get live(): number {
    return this.#live;
  }

  /** Pages in use. */
  get nrFrames(): number {
    return this.#limit / this.plan.perPage;
  }

  /** `GNTMAP_*` of a handle below the limit, 0 if it is free. */
  flags(handle: number): number {
    return this.#entries[handle * WIDTH + FLAGS]!;
  }

  /** Grant reference of a live handle. */
  ref(handle: number): number {
    return this.#entries[handle * WIDTH]! >>> 0;
  }

  /** Granter of a live handle. */
  domid(handle: number): number {
    return this.#entries[handle * WIDTH + DOMID]!;
  }

  /** vCPU whose list the entry returns to. */
  vcpu(handle: number): number {
    return this.#entries[handle * WIDTH + VCPU]!;
  }

  /**
   * Machine address of the page-table entry of a live host mapping, {@linkcode NO_PTE} or {@linkcode LEAKED_PTE}.
   * Xen keeps no such number: it is here so that a leaked pin can be seen.
   */
  hostPte(handle: number): number {
    return this.#hostPte[handle]!;
  }

  /** Records where the host mapping is. */
  setHostPte(handle: number, address: number): void {
    this.#hostPte[handle] = address;
  }

  /** Handle of the live host mapping through that page-table entry, or -1. Looks at every entry. */
  findHostPte(address: number): number {
    for (let handle = 0; handle < this.#limit; handle++) {
      if (
        this.#hostPte[handle] === address && (this.#entries[handle * WIDTH + FLAGS]! & GNTMAP_host_map) !== 0
      ) return handle;
    }
    return INVALID_MAPTRACK_HANDLE;
  }

  /** Bytes that the entries take in the model. */
  get bytesHeld(): number {
    return this.#entries.byteLength + this.#hostPte.byteLength;
  }

  /** Free lists: one for each vCPU, or one for all. */
  get nrLists(): number {
    return this.#head.length;
  }

  /** Takes a free entry for a vCPU, or answers {@linkcode INVALID_MAPTRACK_HANDLE}. */
  get(onVcpu: number): number {
    const vcpu = onVcpu % this.#head.length;
    let handle = this.#take(vcpu);
    if (handle < 0) handle = this.nrFrames < this.maxFrames ? this.#grow(vcpu) : this.#steal(vcpu);
    if (handle < 0) return INVALID_MAPTRACK_HANDLE;
    this.#live++;
    this.#trace.one(EV.maptrack_op);
    return handle;
  }

  /** Makes an entry that was taken a mapping. The flags go last: a reader looks at them first. */
  fill(
    handle: number,
    mapping: {
      readonly ref: number;
      readonly domid: number;
      readonly flags: number;
      readonly hostPte: number;
    },
  ): void {
    this.#entries[handle * WIDTH + DOMID] = mapping.domid;
    this.#entries[handle * WIDTH] = mapping.ref | 0;
    this.#hostPte[handle] = mapping.hostPte;
    this.#entries[handle * WIDTH + FLAGS] = mapping.flags & 0xffff;
  }

  /** Clears kinds of mapping of a handle; true if none is left: then it is free and must be {@linkcode put}. */
  clear(handle: number, kinds: number): boolean {
    const left = this.#entries[handle * WIDTH + FLAGS]! & ~kinds;
    if ((kinds & GNTMAP_host_map) !== 0) this.#hostPte[handle] = NO_PTE;
    const isFree = (left & (GNTMAP_host_map | GNTMAP_device_map)) === 0;
    this.#entries[handle * WIDTH + FLAGS] = isFree ? 0 : left;
    return isFree;
  }

  /** Gives a free entry back to its vCPU's list. @cite xen 4.17 xen/common/grant_table.c put_maptrack_handle */
  put(handle: number): void {
    const entries = this.#entries;
    const at = handle * WIDTH;
    const vcpu = entries[at + VCPU]!;
    this.#hostPte[handle] = NO_PTE;
    entries[at + FLAGS] = 0;
    if (this.plan.keepsTail) {
      entries[at] = MAPTRACK_TAIL;
      entries[this.#tail[vcpu]! * WIDTH] = handle;
      this.#tail[vcpu] = handle;
    } else {
      entries[at] = this.#head[vcpu]!;
      this.#head[vcpu] = handle;
    }
    this.#live--;
    this.#trace.one(EV.maptrack_op);
  }

  /** Handles on the free list of a vCPU, first to last; for validation and listings. A loop is cut. */
  freeList(vcpu: number): number[] {
    const list: number[] = [];
    for (let at = this.#head[vcpu]!; at !== MAPTRACK_TAIL; at = this.#entries[at * WIDTH]!) {
      list.push(at);
      if (list.length > this.#limit) break;
    }
    return list;
  }

  /** Everything as columns, for saving; copies. */
  columns(): MaptrackColumns {
    const n = this.#limit;
    const column = (word: number) =>
      Int32Array.from({ length: n }, (_, handle) => this.#entries[handle * WIDTH + word]!);
    return {
      ref: column(REF),
      flags: column(FLAGS),
      domid: column(DOMID),
      vcpu: column(VCPU),
      hostPte: this.#hostPte.slice(0, n),
      head: this.#head.slice(),
      tail: this.#tail.slice(),
      live: [this.#live],
      lot: [this.#rng.state],
    };
  }

  /** Puts saved entries into a maptrack that has none. */
  restore(columns: MaptrackColumns): void {
    const n = columns.ref.length;
    this.#entries = growInt32(this.#entries, n * WIDTH);
    this.#hostPte = growFloat64(this.#hostPte, n, NO_PTE);
    for (let handle = 0; handle < n; handle++) {
      const at = handle * WIDTH;
      this.#entries[at + REF] = columns.ref[handle]!;
      this.#entries[at + FLAGS] = columns.flags[handle]!;
      this.#entries[at + DOMID] = columns.domid[handle]!;
      this.#entries[at + VCPU] = columns.vcpu[handle]!;
    }
    this.#hostPte.set(columns.hostPte);
    this.#head.set(columns.head);
    this.#tail.set(columns.tail);
    this.#limit = n;
    this.#live = columns.live[0]!;
    this.#rng.state = columns.lot[0]!;
  }

  /** The head of a list, unless it is the last entry. @cite xen 4.17 xen/common/grant_table.c _get_maptrack_handle */
  #take(vcpu: number): number {
    const head = this.#head[vcpu]!;
    if (head === MAPTRACK_TAIL) return INVALID_MAPTRACK_HANDLE;
    const next = this.#entries[head * WIDTH]!;
    if (next === MAPTRACK_TAIL && this.plan.keepsTail) return INVALID_MAPTRACK_HANDLE;
    this.#head[vcpu] = next;
    return head;
  }

  /** A new page: its first entry is the answer, the rest goes to the head of the list. */
  #grow(vcpu: number): number {
    const first = this.#limit;
    const end = first + this.plan.perPage;
    this.#entries = growInt32(this.#entries, end * WIDTH);
    this.#hostPte = growFloat64(this.#hostPte, end, NO_PTE);
    for (let i = first; i < end; i++) {
      this.#entries[i * WIDTH] = i + 1;
      this.#entries[i * WIDTH + VCPU] = vcpu;
    }
    if (this.#tail[vcpu] === MAPTRACK_TAIL) this.#tail[vcpu] = end - 1;
    this.#limit = end;
    this.#entries[(end - 1) * WIDTH] = this.#head[vcpu]!;
    this.#head[vcpu] = first + 1;
    return first;
  }

  /**
   * From another vCPU's list, the first one drawn by lot; the entry changes hands for good. A vCPU without a list
   * needs two: one stays as its tail.
   *
   * @cite xen 4.17 xen/common/grant_table.c steal_maptrack_handle
   */
  #steal(vcpu: number): number {
    if (this.#tail[vcpu] === MAPTRACK_TAIL) {
      const sentinel = this.#stealOne(vcpu);
      if (sentinel < 0) return INVALID_MAPTRACK_HANDLE;
      this.#entries[sentinel * WIDTH] = MAPTRACK_TAIL;
      this.#tail[vcpu] = sentinel;
      if (this.#head[vcpu] === MAPTRACK_TAIL) this.#head[vcpu] = sentinel;
    }
    return this.#stealOne(vcpu);
  }

  #stealOne(vcpu: number): number {
    const vcpus = this.#head.length;
    const first = this.#rng.below(vcpus);
    for (let k = 0; k < vcpus; k++) {
      const handle = this.#take((first + k) % vcpus);
      if (handle < 0) continue;
      this.#entries[handle * WIDTH + VCPU] = vcpu;
      return handle;
    }
    return INVALID_MAPTRACK_HANDLE;
  }

  override [viewOf](): View {
    return maptrackView(this, new Map([[NO_PTE, ""], [LEAKED_PTE, "leaked"]]));
  }
}
