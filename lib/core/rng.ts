/**
 * The only source of randomness in the model: a seeded generator, so that every run can be repeated.
 *
 * @module
 */

/**
 * Mulberry32 (public domain, T. Ettinger): 32 bits of state, good enough to draw workloads, not for statistics.
 *
 * @example
 * ```ts
 * import { Rng } from "grantlab/core";
 * const a = new Rng(1), b = new Rng(1);
 * if (a.below(100) !== b.below(100)) throw new Error("same seed, same numbers");
 * ```
 */
export class Rng {
  #state: number;

  /** @param seed any 32-bit number; printed wherever a random result is shown */
  constructor(readonly seed: number) {
    this.#state = seed | 0;
  }

  /** Where the sequence stands, for saving; any 32-bit number. */
  get state(): number {
    return this.#state;
  }

  set state(state: number) {
    this.#state = state | 0;
  }

  /** A whole number in `[0, 2^32)`. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number in `[0, n)`. */
  below(n: number): number {
    return Math.floor(this.next() / 2 ** 32 * n);
  }
}
