/**
 * What a subcommand of `grantlab` is: options, the rights it asks for, and what it does with them. Start with
 * `subcommands.ts`, the table.
 *
 * @module
 */

import type { Parser } from "@optique/core/parser";
import type { Rights } from "./rights.ts";

/** Exit codes: all went well, a check failed, or what was typed cannot be done. */
export const EXIT = Object.freeze({ ok: 0, failed: 1, usage: 2 });

/** Where the command runs. */
export interface Place {
  /** The project's folder, a slash at the end: `file:` for a checkout. */
  readonly project: URL;
  readonly os: typeof Deno.build.os;
  /** Value of an environment variable. */
  readonly variable: (name: string) => string | undefined;
}

/** One subcommand; `Wish` is what its options parse to. */
export interface Subcommand<Wish = unknown> {
  /** One line for the list of subcommands. */
  readonly brief: string;
  /** Which rights it asks for, and why: for `--help` and README. */
  readonly asks: string;
  readonly parser: Parser<"sync", Wish, unknown>;
  /** The arguments as the parser can read them. Default: as they are. */
  arrange?(args: readonly string[]): readonly string[];
  /** Rights for this wish. `own`: it only starts another process and gives that its rights. */
  rights(wish: Wish, place: Place): Rights | "own";
  /**
   * Does it.
   *
   * @returns the exit code
   * @throws what `EXPECTED` of `grantlab.ts` names, for what cannot be done: a message and exit code 2
   */
  run(wish: Wish, place: Place): Promise<number>;
}

/** A subcommand whose `rights` and `run` know the type of their wish, as one of a table that does not. */
export function subcommand<Wish>(parts: Subcommand<Wish>): Subcommand {
  return Object.freeze(parts) as unknown as Subcommand;
}
