/**
 * What a bench is: a small program over the model, with what lies between its time stamps set apart from set-up and
 * clean-up.
 *
 * @module
 */

import type { BenchHost, BenchMode } from "./machine.ts";

/** The part between the time stamps, and what puts the host back. */
export interface Round {
  run(): void;
  end?(): void;
}

/** One bench. */
export interface Bench {
  readonly name: string;
  /** In which modes it exists. */
  readonly modes: readonly BenchMode[];
  /** Sizes it is defined for; default 1 … 256. */
  readonly sizes?: { readonly least: number; readonly most: number };
  /** Sets a round of size `n` up. */
  round(host: BenchHost, n: number): Round;
}
