/**
 * Entries of the past, oldest first, and the ways to find one. No file: that is `history_file.ts`.
 *
 * @module
 */

/** Entries that are kept. */
export const MOST_ENTRIES = 10_000;

/** The past. */
export class History {
  #entries: string[];

  constructor(entries: readonly string[] = []) {
    this.#entries = entries.slice(-MOST_ENTRIES);
  }

  /** Oldest first. */
  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Adds an entry unless it is blank or the same as the last one; true if it was added. */
  add(entry: string): boolean {
    if (entry.trim() === "" || entry === this.#entries.at(-1)) return false;
    this.#entries.push(entry);
    if (this.#entries.length > MOST_ENTRIES) this.#entries.shift();
    return true;
  }

  /** Index of the next older entry before `from` that begins with `prefix` and differs from `text`, or -1. */
  older(from: number, prefix: string, text: string): number {
    for (let i = Math.min(from, this.#entries.length) - 1; i >= 0; i--) {
      const entry = this.#entries[i]!;
      if (entry.startsWith(prefix) && entry !== text) return i;
    }
    return -1;
  }

  /** Index of the next newer entry after `from` that begins with `prefix` and differs from `text`, or -1. */
  newer(from: number, prefix: string, text: string): number {
    for (let i = from + 1; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (entry.startsWith(prefix) && entry !== text) return i;
    }
    return -1;
  }

  /** Index of the nearest entry from `from` on, `from` included, that contains `query`; -1 if there is none. */
  search(query: string, from: number, direction: "older" | "newer"): number {
    const step = direction === "older" ? -1 : 1;
    for (let i = from; i >= 0 && i < this.#entries.length; i += step) {
      if (this.#entries[i]!.includes(query)) return i;
    }
    return -1;
  }
}
