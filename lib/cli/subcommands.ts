/**
 * The subcommands by the words that name them: one line each, loaded when asked for.
 *
 * @module
 */

import type { Subcommand } from "./subcommand.ts";

/** A module of one subcommand. */
export type Load = () => Promise<{ readonly command: Subcommand }>;

/** The table. */
export const SUBCOMMANDS: Readonly<Record<string, Load>> = Object.freeze({
  "session": () => import("./subcommands/session.ts"),
  "run": () => import("./subcommands/run.ts"),
  "experiment": () => import("./subcommands/experiment.ts"),
  "sweep": () => import("./subcommands/sweep.ts"),
  "conform": () => import("./subcommands/conform.ts"),
  "diff": () => import("./subcommands/diff.ts"),
  "import": () => import("./subcommands/import.ts"),
  "explain": () => import("./subcommands/explain.ts"),
  "notebook run": () => import("./subcommands/notebook_run.ts"),
  "notebook check": () => import("./subcommands/notebook_check.ts"),
  "kernel install": () => import("./subcommands/kernel_install.ts"),
  "kernel uninstall": () => import("./subcommands/kernel_uninstall.ts"),
});

/** The name at the beginning of these words, and what follows it. */
export interface Named {
  readonly name: string;
  readonly rest: readonly string[];
}

/** Which subcommand the words begin with; names of two words win. Undefined if none. */
export function namedBy(
  words: readonly string[],
  table: Readonly<Record<string, unknown>> = SUBCOMMANDS,
): Named | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    if (words.length >= length && Object.hasOwn(table, name)) return { name, rest: words.slice(length) };
  }
  return undefined;
}
