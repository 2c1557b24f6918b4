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
  #keys: Int32Array;
  #values: Int32Array;
  #mask: number;
  #live = 0;
  #used = 0;

  /** @param capacity how many entries it should hold without growing */
  constructor(capacity = 16) {
    let slots = 32;
    while (slots < capacity * 2) slots *= 2;
    this.#keys = new Int32Array(slots).fill(EMPTY);
    this.#values = new Int32Array(slots);
    this.#mask = slots - 1;
  }

  /** Number of entries. */
  get size(): number {
    return this.#live;
  }

  /** The value of `key`, or -1. */
  get(key: number): number {
    const keys = this.#keys;
    const mask = this.#mask;
    let i = Math.imul(key, 0x9e3779b1) >>> 7 & mask;
    for (;;) {
      const k = keys[i]!;
      if (k === key) return this.#values[i]!;
      if (k === EMPTY) return -1;
      i = i + 1 & mask;
    }
  }

  /** Sets `key` (≥ 0) to `value`. */
  set(key: number, value: number): void {
    if ((this.#used + 1) * 2 > this.#keys.length) this.#rehash();
    const keys = this.#keys;
    const mask = this.#mask;
    let i = Math.imul(key, 0x9e3779b1) >>> 7 & mask;
    let free = -1;
    for (;;) {
      const k = keys[i]!;
      if (k === key) {
        this.#values[i] = value;
        return;
      }
      if (k === TOMBSTONE && free < 0) free = i;
      if (k === EMPTY) break;
      i = i + 1 & mask;
    }
    if (free < 0) {
      free = i;
      this.#used++;
    }
    keys[free] = key;
    this.#values[free] = value;
    this.#live++;
  }

  /** Removes `key`; answers whether it was there. */
  delete(key: number): boolean {
    const keys = this.#keys;
    const mask = this.#mask;
    let i = Math.imul(key, 0x9e3779b1) >>> 7 & mask;
    for (;;) {
      const k = keys[i]!;
      if (k === key) {
        keys[i] = TOMBSTONE;
        this.#live--;
        return true;
      }
      if (k === EMPTY) return false;
      i = i + 1 & mask;
    }
  }

  /** Calls `visit` for every entry, in no particular order. */
  forEach(visit: (key: number, value: number) => void): void {
    for (let i = 0; i < this.#keys.length; i++) {
      if (this.#keys[i]! >= 0) visit(this.#keys[i]!, this.#values[i]!);
    }
  }

  #rehash(): void {
    const keys = this.#keys;
    const values = this.#values;
    let slots = 32;
    while (slots < (this.#live + 1) * 4) slots *= 2;
    this.#keys = new Int32Array(slots).fill(EMPTY);
    this.#values = new Int32Array(slots);
    this.#mask = slots - 1;
    this.#live = 0;
    this.#used = 0;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i]! >= 0) this.set(keys[i]!, values[i]!);
    }
  }
}
