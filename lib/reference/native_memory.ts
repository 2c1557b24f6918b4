/**
 * Native memory in miniature: an address space is a map from page to contents and rights. No VMAs, no tables, no copies
 * on write: private pages are the process's own from the start, and a fork copies every byte.
 *
 * Pages are numbers counted from wherever the caller counts; contents are a few bytes a page, known by number.
 *
 * @module
 */

/** A page: of the process alone, or a page of shared memory. */
interface NativePage {
  readonly prot: number;
  /** Where the bytes live: shared by those who share the page. A byte never written is 0. */
  readonly cell: Map<number, number>;
  readonly isShared: boolean;
}

/** What a call must answer: ok, or an errno. */
export type NativeAnswer = "ok" | "EINVAL" | "ENOMEM" | "EFAULT";

/**
 * One process's memory.
 *
 * @example
 * ```ts
 * import { NativeMemory } from "grantlab/reference";
 * const memory = new NativeMemory();
 * memory.map(0, 2, 3, false);
 * memory.write(1, 7);
 * const child = memory.fork();
 * child.write(1, 8);
 * if (memory.read(1) !== 7 || child.read(1) !== 8 || memory.read(2) !== null) throw new Error();
 * ```
 */
export class NativeMemory {
  readonly #pages = new Map<number, NativePage>();

  /** Fresh zeros, in place of what was there. */
  map(first: number, n: number, prot: number, isShared: boolean): void {
    for (let page = first; page < first + n; page++) {
      this.#pages.set(page, { prot, cell: new Map(), isShared });
    }
  }

  /** Takes pages away, mapped or not. */
  unmap(first: number, n: number): void {
    for (let page = first; page < first + n; page++) this.#pages.delete(page);
  }

  /** New rights up to the first page that is not mapped, where the call ends with ENOMEM. */
  protect(first: number, n: number, prot: number): NativeAnswer {
    for (let page = first; page < first + n; page++) {
      const there = this.#pages.get(page);
      if (there === undefined) return "ENOMEM";
      this.#pages.set(page, { ...there, prot });
    }
    return "ok";
  }

  /** Private pages become zeros again, shared ones stay; over a gap all is done, and the call says ENOMEM. */
  dontneed(first: number, n: number): NativeAnswer {
    let answer: NativeAnswer = "ok";
    for (let page = first; page < first + n; page++) {
      const there = this.#pages.get(page);
      if (there === undefined) answer = "ENOMEM";
      else if (!there.isShared) this.#pages.set(page, { ...there, cell: new Map() });
    }
    return answer;
  }

  /** Moves pages that are all mapped; what was at the target goes. */
  move(first: number, n: number, to: number): void {
    const moved = Array.from({ length: n }, (_, i) => this.#pages.get(first + i)!);
    this.unmap(to, n);
    this.unmap(first, n);
    moved.forEach((page, i) => this.#pages.set(to + i, page));
  }

  /** A byte of a page, or null where a program gets a signal. */
  read(page: number, byte = 0): number | null {
    const there = this.#pages.get(page);
    return there === undefined || there.prot === 0 ? null : there.cell.get(byte) ?? 0;
  }

  /** Writes a byte; false where a program gets a signal. */
  write(page: number, value: number, byte = 0): boolean {
    const there = this.#pages.get(page);
    if (there === undefined || (there.prot & 2) === 0) return false;
    there.cell.set(byte, value);
    return true;
  }

  /** True if the page is mapped, whatever its rights. */
  has(page: number): boolean {
    return this.#pages.has(page);
  }

  /** The memory of a child: private bytes copied, shared ones shared. */
  fork(): NativeMemory {
    const child = new NativeMemory();
    for (const [page, { prot, cell, isShared }] of this.#pages) {
      child.#pages.set(page, { prot, cell: isShared ? cell : new Map(cell), isShared });
    }
    return child;
  }
}
