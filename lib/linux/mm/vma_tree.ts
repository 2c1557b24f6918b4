/**
 * The ordered index of the VMAs of one address space: chunks of sorted entries, kept in columns of all chunks, so that a
 * look-up is two binary searches over numbers and an insertion moves at most one chunk. Linux 6.1 has a maple tree here;
 * the shape is ours, the questions it answers are the kernel's.
 *
 * ```text
 *   #firsts   start of the first VMA of each chunk, in order      |  a  |  d  |  k  |
 *   #rows     where the chunk lies in the columns                 |  0  |  2  |  1  |
 *   columns   start and VMA of every entry, CAPACITY a row   |abc..|klm..|defg.|
 * ```
 *
 * The start of a VMA stands in the column and in the VMA; only `setBounds` changes it for a VMA of the tree. Counts nothing:
 * look-ups that cost are made through `find_vma.ts`.
 *
 * @cite linux 6.1 include/linux/mm_types.h mm_struct mm_mt
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { drawing } from "../../core/view.ts";
import { drawVmas } from "./views/vma_drawing.ts";
import { outOfRange } from "../../core/misuse.ts";
import type { Vma } from "./vma.ts";

const CAPACITY_SHIFT = 6;

/** Entries of a chunk before it is halved. */
const CAPACITY = 1 << CAPACITY_SHIFT;

/** Index of the last of the keys `[from, end)` that is ≤ `key`, or `from - 1`. */
function lastAtMost(keys: Float64Array, from: number, end: number, key: number): number {
  if (from >= end || keys[from]! > key) return from - 1;
  let low = from + 1;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** VMAs ordered by start; they never overlap. */
export class VmaTree extends Shown {
  #starts: Float64Array = new Float64Array(CAPACITY);
  #vmas: (Vma | null)[] = new Array(CAPACITY).fill(null);
  /** Start of the first VMA of each chunk. */
  #firsts: Float64Array = new Float64Array(4);
  /** Row of each chunk, and how many entries it has. */
  #rows: Int32Array = new Int32Array(4);
  #sizes: Int32Array = new Int32Array(4);
  #nrChunks = 0;
  /** Rows that no chunk has, and the first row that none ever had. */
  readonly #freeRows: number[] = [];
  #nextRow = 0;
  #size = 0;
  /** What {@linkcode #locate} found: a chunk, and the index of an entry in the columns. */
  #atChunk = 0;
  #atEntry = 0;

  /** Number of VMAs: Linux's `map_count`. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that the index takes beside the VMAs themselves, a reference counted as 8. */
  get bytesHeld(): number {
    return this.#starts.byteLength + 8 * this.#vmas.length + this.#firsts.byteLength +
      this.#rows.byteLength + this.#sizes.byteLength + 8 * this.#freeRows.length;
  }

  /** The first VMA that ends above `address`; it may start above it, too. */
  find(address: number): Vma | null {
    const n = this.#nrChunks;
    const at = lastAtMost(this.#firsts, 0, n, address);
    if (at < 0) return n > 0 ? this.#vmas[this.#rows[0]! << CAPACITY_SHIFT]! : null;
    const base = this.#rows[at]! << CAPACITY_SHIFT;
    const end = base + this.#sizes[at]!;
    const i = lastAtMost(this.#starts, base + 1, end, address); // the first one starts at or below the address
    const vma = this.#vmas[i]!;
    if (vma.end > address) return vma;
    if (i + 1 < end) return this.#vmas[i + 1]!;
    return at + 1 < n ? this.#vmas[this.#rows[at + 1]! << CAPACITY_SHIFT]! : null;
  }

  /** The VMA that holds `address`, or null. */
  lookup(address: number): Vma | null {
    const vma = this.find(address);
    return vma !== null && vma.start <= address ? vma : null;
  }

  /** The last VMA that starts below `address`, or null. */
  lastBelow(address: number): Vma | null {
    const at = lastAtMost(this.#firsts, 0, this.#nrChunks, address - 1);
    if (at < 0) return null;
    const base = this.#rows[at]! << CAPACITY_SHIFT;
    return this.#vmas[lastAtMost(this.#starts, base + 1, base + this.#sizes[at]!, address - 1)]!;
  }

  /** The VMA before this one, or null. */
  prev(vma: Vma): Vma | null {
    return this.lastBelow(vma.start);
  }

  /** The VMA after this one, or null. */
  next(vma: Vma): Vma | null {
    return this.find(vma.end);
  }

  /**
   * Adds a VMA.
   *
   * @throws {RangeError} if it overlaps one that is there
   */
  insert(vma: Vma): void {
    const { start, end } = vma;
    if (this.#nrChunks === 0) this.#addChunk(0, this.#newRow(), 0, start);
    this.#locate(start);
    const at = this.#atChunk;
    const i = this.#atEntry + 1;
    const base = this.#rows[at]! << CAPACITY_SHIFT;
    const stop = base + this.#sizes[at]!;
    const there = i > base && this.#vmas[i - 1]!.end > start ? i - 1 : this.#follower(at, i);
    if (there >= 0 && this.#starts[there]! < end) {
      throw outOfRange("insert", vma.toString(), `it overlaps ${this.#vmas[there]}`);
    }
    const starts = this.#starts;
    const vmas = this.#vmas;
    for (let j = stop; j > i; j--) {
      starts[j] = starts[j - 1]!;
      vmas[j] = vmas[j - 1]!;
    }
    starts[i] = start;
    vmas[i] = vma;
    this.#size++;
    this.#sizes[at] = stop - base + 1;
    if (i === base) this.#firsts[at] = start;
    if (stop - base + 1 === CAPACITY) this.#halve(at);
  }

  /**
   * Takes a VMA out.
   *
   * @throws {RangeError} if it is not there
   */
  remove(vma: Vma): void {
    this.#place(vma, "remove");
    const at = this.#atChunk;
    const base = this.#rows[at]! << CAPACITY_SHIFT;
    const last = base + this.#sizes[at]! - 1;
    const starts = this.#starts;
    const vmas = this.#vmas;
    for (let j = this.#atEntry; j < last; j++) {
      starts[j] = starts[j + 1]!;
      vmas[j] = vmas[j + 1]!;
    }
    vmas[last] = null;
    this.#size--;
    this.#sizes[at] = last - base;
    if (last === base) this.#dropChunk(at);
    else {
      this.#firsts[at] = starts[base]!;
      this.#joinSmall(at);
    }
  }

  /**
   * Moves the bounds of a VMA that keeps its place in the order.
   *
   * @throws {RangeError} if it is not there, or would be empty or reach into a neighbour
   */
  setBounds(vma: Vma, start: number, end: number): void {
    this.#place(vma, "move the bounds of");
    const at = this.#atChunk;
    const i = this.#atEntry;
    const after = this.#follower(at, i + 1);
    if (start >= end || this.#endBefore(at, i) > start || after >= 0 && this.#starts[after]! < end) {
      throw outOfRange(
        "move the bounds of",
        vma.toString(),
        `[${start}, ${end}) is empty or reaches into a neighbour`,
      );
    }
    vma.start = start;
    vma.end = end;
    this.#starts[i] = start;
    if (i === this.#rows[at]! << CAPACITY_SHIFT) this.#firsts[at] = start;
  }

  /** All VMAs in order, as a list of its own. Plain loops: a debugger runs it without side effects. */
  toArray(): Vma[] {
    const list: Vma[] = [];
    for (let at = 0; at < this.#nrChunks; at++) {
      const base = this.#rows[at]! << CAPACITY_SHIFT;
      for (let i = base; i < base + this.#sizes[at]!; i++) list.push(this.#vmas[i]!);
    }
    return list;
  }

  /** In order of addresses. The tree must not change meanwhile. */
  *[Symbol.iterator](): Iterator<Vma> {
    for (let at = 0; at < this.#nrChunks; at++) {
      const base = this.#rows[at]! << CAPACITY_SHIFT;
      for (let i = base; i < base + this.#sizes[at]!; i++) yield this.#vmas[i]!;
    }
  }

  /** Finds the chunk for `start` and the last entry in it that starts at or below; one before its first if none does. */
  #locate(start: number): void {
    const at = Math.max(0, lastAtMost(this.#firsts, 0, this.#nrChunks, start));
    const base = this.#rows[at]! << CAPACITY_SHIFT;
    this.#atChunk = at;
    this.#atEntry = lastAtMost(this.#starts, base, base + this.#sizes[at]!, start);
  }

  #place(vma: Vma, action: string): void {
    if (this.#nrChunks > 0) {
      this.#locate(vma.start);
      if (this.#atEntry >= 0 && this.#vmas[this.#atEntry] === vma) return;
    }
    throw outOfRange(action, vma.toString(), "it is not in this tree");
  }

  /** The entry at `i` of this chunk, or the first of the next one where the chunk ends before; -1 if there is none. */
  #follower(at: number, i: number): number {
    if (i < (this.#rows[at]! << CAPACITY_SHIFT) + this.#sizes[at]!) return i;
    return at + 1 < this.#nrChunks ? this.#rows[at + 1]! << CAPACITY_SHIFT : -1;
  }

  /** Where the entry before `i` ends; 0 if there is none. */
  #endBefore(at: number, i: number): number {
    if (i > this.#rows[at]! << CAPACITY_SHIFT) return this.#vmas[i - 1]!.end;
    return at === 0 ? 0 : this.#vmas[(this.#rows[at - 1]! << CAPACITY_SHIFT) + this.#sizes[at - 1]! - 1]!.end;
  }

  /** A row of the columns, which grow by a quarter. */
  #newRow(): number {
    const free = this.#freeRows.pop();
    if (free !== undefined) return free;
    const row = this.#nextRow++;
    if (row << CAPACITY_SHIFT === this.#vmas.length) {
      const larger = row + Math.max(1, row >>> 2) << CAPACITY_SHIFT;
      this.#starts = longer(this.#starts, new Float64Array(larger));
      const vmas: (Vma | null)[] = new Array(larger).fill(null);
      for (let i = 0; i < this.#vmas.length; i++) vmas[i] = this.#vmas[i]!;
      this.#vmas = vmas;
    }
    return row;
  }

  #addChunk(at: number, row: number, size: number, first: number): void {
    const n = this.#nrChunks++;
    if (n === this.#firsts.length) {
      this.#firsts = longer(this.#firsts, new Float64Array(2 * n));
      this.#rows = longer(this.#rows, new Int32Array(2 * n));
      this.#sizes = longer(this.#sizes, new Int32Array(2 * n));
    }
    for (const column of [this.#firsts, this.#rows, this.#sizes]) column.copyWithin(at + 1, at, n);
    this.#firsts[at] = first;
    this.#rows[at] = row;
    this.#sizes[at] = size;
  }

  #dropChunk(at: number): void {
    this.#freeRows.push(this.#rows[at]!);
    for (const column of [this.#firsts, this.#rows, this.#sizes]) {
      column.copyWithin(at, at + 1, this.#nrChunks);
    }
    this.#nrChunks--;
  }

  /** Gives the upper half of a full chunk a row of its own; of the last chunk only the last entry: programs append. */
  #halve(at: number): void {
    const low = this.#rows[at]! << CAPACITY_SHIFT;
    const kept = at + 1 === this.#nrChunks && this.#atEntry === low + CAPACITY - 2
      ? CAPACITY - 1
      : CAPACITY / 2;
    const row = this.#newRow();
    this.#moveEntries(low + kept, row << CAPACITY_SHIFT, CAPACITY - kept);
    this.#sizes[at] = kept;
    this.#addChunk(at + 1, row, CAPACITY - kept, this.#starts[row << CAPACITY_SHIFT]!);
  }

  /** Joins a chunk with the one after it when both are so small that the next insertions will not halve it again. */
  #joinSmall(at: number): void {
    if (at + 1 === this.#nrChunks) return;
    const size = this.#sizes[at]!;
    const added = this.#sizes[at + 1]!;
    if (size + added > CAPACITY / 2) return;
    this.#moveEntries(
      this.#rows[at + 1]! << CAPACITY_SHIFT,
      (this.#rows[at]! << CAPACITY_SHIFT) + size,
      added,
    );
    this.#sizes[at] = size + added;
    this.#dropChunk(at + 1);
  }

  #moveEntries(from: number, to: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#starts[to + i] = this.#starts[from + i]!;
      this.#vmas[to + i] = this.#vmas[from + i]!;
      this.#vmas[from + i] = null;
    }
  }

  override [viewOf](): View {
    return { line: `${this.#size} VMAs by address`, blocks: [drawing(drawVmas(this))] };
  }
}

/** Copies a column to the beginning of a longer one. */
function longer<T extends Float64Array | Int32Array>(column: T, to: T): T {
  to.set(column);
  return to;
}
