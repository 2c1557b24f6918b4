/**
 * The ordered index of the VMAs of one address space: chunks of sorted entries, each with its start addresses in a
 * typed array, so that a look-up is two binary searches over numbers and an insertion moves at most one chunk.
 * Linux 6.1 has a maple tree here; the shape is ours, the questions it answers are the kernel's.
 *
 * Counts nothing: look-ups that cost are made through `find_vma.ts`.
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

/** Entries of a chunk before it is halved. */
const CAPACITY = 128;

interface Chunk {
  readonly starts: Float64Array;
  readonly vmas: (Vma | null)[];
  size: number;
}

function newChunk(): Chunk {
  return { starts: new Float64Array(CAPACITY), vmas: [], size: 0 };
}

/** Index of the last of the first `n` keys that is ≤ `key`, or -1. */
function lastAtMost(keys: Float64Array, n: number, key: number): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** VMAs ordered by start; they never overlap. */
export class VmaTree extends Shown {
  #chunks: Chunk[] = [];
  /** Start of the first VMA of each chunk. */
  #firsts: Float64Array = new Float64Array(16);
  #size = 0;

  /** Number of VMAs: Linux's `map_count`. */
  get size(): number {
    return this.#size;
  }

  /** The first VMA that ends above `address`; it may start above it, too. */
  find(address: number): Vma | null {
    const at = lastAtMost(this.#firsts, this.#chunks.length, address);
    if (at < 0) return this.#chunks.length > 0 ? this.#chunks[0]!.vmas[0]! : null;
    const chunk = this.#chunks[at]!;
    const i = lastAtMost(chunk.starts, chunk.size, address);
    const vma = chunk.vmas[i]!;
    return vma.end > address ? vma : this.#at(at, i + 1);
  }

  /** The VMA that holds `address`, or null. */
  lookup(address: number): Vma | null {
    const vma = this.find(address);
    return vma !== null && vma.start <= address ? vma : null;
  }

  /** The last VMA that starts below `address`, or null. */
  lastBelow(address: number): Vma | null {
    const at = lastAtMost(this.#firsts, this.#chunks.length, address - 1);
    if (at < 0) return null;
    const chunk = this.#chunks[at]!;
    return chunk.vmas[lastAtMost(chunk.starts, chunk.size, address - 1)]!;
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
    const there = this.find(vma.start);
    if (there !== null && there.start < vma.end) {
      throw outOfRange("insert", vma.toString(), `it overlaps ${there}`);
    }
    this.#size++;
    if (this.#chunks.length === 0) this.#addChunk(0, newChunk());
    const at = Math.max(0, lastAtMost(this.#firsts, this.#chunks.length, vma.start));
    const chunk = this.#chunks[at]!;
    const i = lastAtMost(chunk.starts, chunk.size, vma.start) + 1;
    chunk.starts.copyWithin(i + 1, i, chunk.size);
    chunk.starts[i] = vma.start;
    chunk.vmas.splice(i, 0, vma);
    chunk.size++;
    if (i === 0) this.#firsts[at] = vma.start;
    if (chunk.size === CAPACITY) this.#halve(at);
  }

  /**
   * Takes a VMA out.
   *
   * @throws {RangeError} if it is not there
   */
  remove(vma: Vma): void {
    const [at, i] = this.#placeOf(vma, "remove");
    const chunk = this.#chunks[at]!;
    chunk.starts.copyWithin(i, i + 1, chunk.size);
    chunk.vmas.splice(i, 1);
    chunk.size--;
    this.#size--;
    if (chunk.size === 0) this.#dropChunk(at);
    else {
      if (i === 0) this.#firsts[at] = chunk.starts[0]!;
      this.#joinSmall(at);
    }
  }

  /**
   * Moves the bounds of a VMA that keeps its place in the order.
   *
   * @throws {RangeError} if it is not there, or would be empty or reach into a neighbour
   */
  setBounds(vma: Vma, start: number, end: number): void {
    const [at, i] = this.#placeOf(vma, "move the bounds of");
    const before = this.prev(vma);
    const after = this.next(vma);
    if (start >= end || before !== null && before.end > start || after !== null && after.start < end) {
      throw outOfRange(
        "move the bounds of",
        vma.toString(),
        `[${start}, ${end}) is empty or reaches into a neighbour`,
      );
    }
    vma.start = start;
    vma.end = end;
    this.#chunks[at]!.starts[i] = start;
    if (i === 0) this.#firsts[at] = start;
  }

  /** All VMAs in order, as a list of its own. Plain loops: a debugger runs it without side effects. */
  toArray(): Vma[] {
    const list: Vma[] = [];
    for (let at = 0; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!;
      for (let i = 0; i < chunk.size; i++) list.push(chunk.vmas[i]!);
    }
    return list;
  }

  /** In order of addresses. The tree must not change meanwhile. */
  *[Symbol.iterator](): Iterator<Vma> {
    for (const chunk of this.#chunks) {
      for (let i = 0; i < chunk.size; i++) yield chunk.vmas[i]!;
    }
  }

  #at(at: number, i: number): Vma | null {
    const chunk = this.#chunks[at]!;
    if (i < chunk.size) return chunk.vmas[i]!;
    return at + 1 < this.#chunks.length ? this.#chunks[at + 1]!.vmas[0]! : null;
  }

  #placeOf(vma: Vma, action: string): readonly [at: number, i: number] {
    const at = lastAtMost(this.#firsts, this.#chunks.length, vma.start);
    const chunk = this.#chunks[at];
    const i = chunk === undefined ? -1 : lastAtMost(chunk.starts, chunk.size, vma.start);
    if (i < 0 || chunk!.vmas[i] !== vma) throw outOfRange(action, vma.toString(), "it is not in this tree");
    return [at, i];
  }

  #addChunk(at: number, chunk: Chunk): void {
    const n = this.#chunks.length;
    if (n === this.#firsts.length) {
      const larger = new Float64Array(2 * n);
      larger.set(this.#firsts);
      this.#firsts = larger;
    }
    this.#firsts.copyWithin(at + 1, at, n);
    this.#firsts[at] = chunk.starts[0]!;
    this.#chunks.splice(at, 0, chunk);
  }

  #dropChunk(at: number): void {
    this.#firsts.copyWithin(at, at + 1, this.#chunks.length);
    this.#chunks.splice(at, 1);
  }

  #halve(at: number): void {
    const low = this.#chunks[at]!;
    const high = newChunk();
    const half = CAPACITY / 2;
    high.starts.set(low.starts.subarray(half));
    high.vmas.push(...low.vmas.splice(half));
    high.size = CAPACITY - half;
    low.size = half;
    this.#addChunk(at + 1, high);
  }

  /** Joins a chunk with the one after it when both are so small that the next insertions will not halve it again. */
  #joinSmall(at: number): void {
    const low = this.#chunks[at]!;
    const high = this.#chunks[at + 1];
    if (high === undefined || low.size + high.size > CAPACITY / 2) return;
    low.starts.set(high.starts.subarray(0, high.size), low.size);
    low.vmas.push(...high.vmas);
    low.size += high.size;
    this.#dropChunk(at + 1);
  }

  override [viewOf](): View {
    return { line: `${this.#size} VMAs by address`, blocks: [drawing(drawVmas(this))] };
  }
}
