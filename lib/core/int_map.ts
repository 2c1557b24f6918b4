/**
 * An open-addressing hash map from non-negative 31-bit integers to 31-bit integers. On the path of every page walk,
 * where `Map` costs twice as much (measured in the predecessor trials that the issue of the MMU layer quotes).
 *
 * @module
 */

const EMPTY = -1;
const TOMBSTONE = -2;

/**
 * Int32 → Int32 with linear probing; load factor at most one half.
 *
 * @example
 * ```ts
 * import { IntMap } from "grantlab/core";
 * const m = new IntMap();
 * m.set(7, 70);
 * if (m.get(7) !== 70 || m.get(8) !== -1 || m.size !== 1) throw new Error();
 * ```
 */
export class IntMap {
  /** Key and value of a place side by side, so that a look-up touches one line. */
  #pairs: Int32Array;
  /** Twice the number of places, less two: masks an index of `#pairs`. */
  #mask: number;
  #live = 0;
  #used = 0;

  /** @param capacity how many entries it should hold without growing */
  constructor(capacity = 16) {
    let slots = 32;
    while (slots < capacity * 2) slots *= 2;
    this.#pairs = new Int32Array(slots * 2).fill(EMPTY);
    this.#mask = slots * 2 - 2;
  }

  /** Number of entries. */
  get size(): number {
    return this.#live;
  }

  /** Bytes of the table. */
  get byteLength(): number {
    return this.#pairs.byteLength;
  }

  /** The value of `key`, or -1. */
  get(key: number): number {
    const pairs = this.#pairs;
    const mask = this.#mask;
    let i = Math.imul(key, 0x9e3779b1) >>> 6 & mask;
    for (;;) {
      const k = pairs[i]!;
      if (k === key) return pairs[i + 1]!;
      if (k === EMPTY) return -1;
      i = i + 2 & mask;
    }
  }

  /** Sets `key` (≥ 0) to `value`. */
  set(key: number, value: number): void {
    if ((this.#used + 1) * 4 > this.#pairs.length) this.#rehash();
    const pairs = this.#pairs;
    const mask = this.#mask;
    let i = Math.imul(key, 0x9e3779b1) >>> 6 & mask;
    let free = -1;
    for (;;) {
      const k = pairs[i]!;
      if (k === key) {
        pairs[i + 1] = value;
        return;
      }
      if (k === TOMBSTONE && free < 0) free = i;
      if (k === EMPTY) break;
      i = i + 2 & mask;
    }
    if (free < 0) {
      free = i;
      this.#used++;
    }
    pairs[free] = key;
    pairs[free + 1] = value;
    this.#live++;
  }

  /** Removes `key`; answers whether it was there. */
  delete(key: number): boolean {
    const pairs = this.#pairs;
    const mask = this.#mask;
    let i = Math.imul(key, 0x9e3779b1) >>> 6 & mask;
    for (;;) {
      const k = pairs[i]!;
      if (k === key) {
        pairs[i] = TOMBSTONE;
        this.#live--;
        return true;
      }
      if (k === EMPTY) return false;
      i = i + 2 & mask;
    }
  }

  /** Calls `visit` for every entry, in no particular order. */
  forEach(visit: (key: number, value: number) => void): void {
    const pairs = this.#pairs;
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i]! >= 0) visit(pairs[i]!, pairs[i + 1]!);
    }
  }

  #rehash(): void {
    const old = this.#pairs;
    let slots = 32;
    while (slots < (this.#live + 1) * 4) slots *= 2;
    this.#pairs = new Int32Array(slots * 2).fill(EMPTY);
    this.#mask = slots * 2 - 2;
    this.#live = 0;
    this.#used = 0;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i]! >= 0) this.set(old[i]!, old[i + 1]!);
    }
  }
}
