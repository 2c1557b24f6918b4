/**
 * Options of a sweep.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { EXPORT_FORMATS } from "../sweep/export_rows.ts";
import type { SweepWish } from "./run_sweep.ts";

/** A sweep's wish, the name of the experiment left open. */
export const sweepParser: Parser<
  "sync",
  Omit<SweepWish, "name"> & { readonly name: string | undefined },
  unknown
> = object({
  name: optional(argument(string({ metavar: "NAME" }), {
    description: message`The experiment; without it all are listed.`,
  })),
  axes: multiple(option("--axis", string({ metavar: "NAME=VALUE,…" }), {
    description: message`Values on an axis; from..to..step makes a range of numbers. May be repeated.`,
  })),
  out: optional(option("--out", string({ metavar: "FOLDER" }), {
    description: message`Where results are kept. Default: sweep-NAME.`,
  })),
  workers: optional(option("--workers", integer({ metavar: "N", min: 1 }), {
    description: message`Threads; one for each core if not given.`,
  })),
  shard: optional(option("--shard", string({ metavar: "I/N" }), {
    description: message`Do only part I of N; taken from the cluster's scheduler if not given.`,
  })),
  prices: optional(option("--prices", string({ metavar: "FILE" }), {
    description: message`Price list for the rows; the built-in assumed one if not given.`,
  })),
  as: multiple(option("--as", choice(Object.keys(EXPORT_FORMATS), { metavar: "FORMAT" }), {
    description: message`Rows as csv, jsonl or parquet. May be repeated; csv if not given.`,
  })),
});
