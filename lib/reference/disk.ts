/**
 * A disk in miniature: per sector, which of the writes may be what a reader finds. Every write has a number of its own.
 *
 * @module
 */

/** A write that was begun. */
export interface ReferenceWrite {
  /** Its number, above 0, in every word of its sectors. */
  readonly stamp: number;
  readonly sector: number;
  readonly count: number;
}

/**
 * What a disk must hold.
 *
 * A write replaces what had ended before it began; of writes that overlap in time either may come last; one that failed
 * may have happened or not.
 *
 * @example
 * ```ts
 * import { ReferenceDisk } from "grantlab/reference";
 * const disk = new ReferenceDisk();
 * const write = disk.begin(8, 1);
 * if (disk.mayHold(8, write.stamp) !== true || disk.mayHold(8, 0) !== true) throw new Error();
 * disk.end(write, true);
 * if (disk.mayHold(8, 0) !== false || disk.mayHold(9, 0) !== true) throw new Error();
 * ```
 */
export class ReferenceDisk {
  /** Writes that may be what a sector holds; a sector that is not here holds what it always held. */
  readonly #possible = new Map<number, Set<number>>();
  /** How many had ended when a write began, for those that run. */
  readonly #endedBefore = new Map<number, number>();
  /** Of each write that some sector may hold: its place in the order of ends, and in how many sectors it may be. */
  readonly #known = new Map<number, { order: number; sectors: number }>();
  /** Sectors that were given up: whatever is in them is right until they are written again. */
  readonly #anything = new Set<number>();
  #ends = 0;
  #stamps = 0;

  /** A write of `count` sectors begins. */
  begin(sector: number, count: number): ReferenceWrite {
    const stamp = ++this.#stamps;
    this.#endedBefore.set(stamp, this.#ends);
    this.#known.set(stamp, { order: Infinity, sectors: count });
    for (let at = sector; at < sector + count; at++) this.#at(at).add(stamp);
    return { stamp, sector, count };
  }

  /** Sectors are given up. */
  discard(sector: number, count: number): void {
    for (let at = sector; at < sector + count; at++) this.#anything.add(at);
  }

  /** The write was answered. */
  end({ stamp, sector, count }: ReferenceWrite, isOkay: boolean): void {
    const before = this.#endedBefore.get(stamp)!;
    this.#endedBefore.delete(stamp);
    const own = this.#known.get(stamp);
    if (own !== undefined) own.order = this.#ends;
    this.#ends++;
    if (!isOkay) return;
    for (let at = sector; at < sector + count; at++) {
      const possible = this.#at(at);
      this.#anything.delete(at);
      for (const other of possible) {
        if (other === stamp || this.#orderOf(other) >= before) continue;
        possible.delete(other);
        this.#forget(other);
      }
    }
  }

  /** May a reader find this in a sector? 0 stands for what was there before any write. */
  mayHold(sector: number, stamp: number): boolean {
    if (this.#anything.has(sector)) return true;
    const possible = this.#possible.get(sector);
    return possible === undefined ? stamp === 0 : possible.has(stamp);
  }

  /** Sectors that any write has touched, in order. */
  get sectors(): number[] {
    return [...this.#possible.keys()].sort((a, b) => a - b);
  }

  /** What a sector may hold. */
  possible(sector: number): number[] {
    return [...this.#possible.get(sector) ?? [0]];
  }

  #orderOf(stamp: number): number {
    return stamp === 0 ? -1 : this.#known.get(stamp)?.order ?? Infinity;
  }

  /** A write is in one sector less; what is in none is of no interest any more. */
  #forget(stamp: number): void {
    const known = this.#known.get(stamp);
    if (known !== undefined && --known.sectors === 0) this.#known.delete(stamp);
  }

  #at(sector: number): Set<number> {
    let possible = this.#possible.get(sector);
    if (possible === undefined) {
      possible = new Set([0]);
      this.#possible.set(sector, possible);
    }
    return possible;
  }
}
