/**
 * Delayed work on the model's own clock: nothing runs by itself, `advance` lets time pass.
 *
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { wholeNumber } from "../../core/misuse.ts";

interface Item {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * A queue of work items ordered by time, then by the order in which they were queued.
 *
 * @example
 * ```ts
 * import { DelayedWork } from "grantlab/linux/xen";
 * const work = new DelayedWork();
 * const ran: number[] = [];
 * work.schedule(5, () => ran.push(work.nowMs));
 * work.advance(4);
 * work.advance(4);
 * if (ran.join() !== "5" || work.nowMs !== 8) throw new Error(ran.join());
 * ```
 */
export class DelayedWork extends Shown {
  #items: Item[] = [];
  #order = 0;
  #nowMs = 0;
  #isRunning = false;

  /** Milliseconds since the kernel started. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** True while an item runs. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Items that wait. */
  get pending(): number {
    return this.#items.length;
  }

  /** Runs `run` when `delayMs` have passed. */
  schedule(delayMs: number, run: () => void): void {
    this.#items.push({ at: this.#nowMs + delayMs, order: this.#order++, run });
    this.#items.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  /** Lets `ms` pass and runs what falls due, in order, items that these queue included. */
  advance(ms: number): void {
    const until = this.#nowMs + wholeNumber("let milliseconds pass:", ms, 0, 2 ** 40);
    while (this.#items.length > 0 && this.#items[0]!.at <= until) {
      const item = this.#items.shift()!;
      this.#nowMs = item.at;
      this.#run(item);
    }
    this.#nowMs = until;
  }

  #run(item: Item): void {
    const before = this.#isRunning;
    this.#isRunning = true;
    try {
      item.run();
    } finally {
      this.#isRunning = before;
    }
  }

  override [viewOf](): View {
    return {
      line: `delayed work at ${this.nowMs} ms: ${this.pending} items wait${
        this.#items.length === 0 ? "" : `, the next at ${this.#items[0]!.at} ms`
      }`,
    };
  }
}
