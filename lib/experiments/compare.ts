/**
 * Running an experiment by name over designs by name.
 *
 * @module
 */

import { wrongType } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { kernelFlavour } from "../linux/kernel.ts";
import { type Comparison, runVerdictExperiment } from "./comparison.ts";
import { splitThenPin, type SplitThenPinOptions, type SplitThenPinRow } from "./split_then_pin.ts";

/** Experiments that end in verdicts, by name. */
export const VERDICT_EXPERIMENTS: { readonly split_then_pin: typeof splitThenPin } = Object.freeze({
  split_then_pin: splitThenPin,
});

/**
 * Runs an experiment for each design.
 *
 * @param designs kernel flavours; default: those the experiment was made for
 * @throws {RangeError} for an unknown experiment or design (near names are suggested), before anything runs
 *
 * @example
 * ```ts
 * import { compare } from "grantlab";
 * const { rows } = compare("split_then_pin", ["seed2014", "linux4_0"], { pages: 4 });
 * const wrong = rows.filter((row) => row.verdict === "wrong-page").map((row) => row.design);
 * if (wrong.join() !== "seed2014") throw new Error(wrong.join());
 * ```
 */
export function compare(
  experiment: keyof typeof VERDICT_EXPERIMENTS,
  designs?: readonly string[],
  options: SplitThenPinOptions = {},
): Comparison<SplitThenPinRow> {
  const chosen = lookUp("experiment", VERDICT_EXPERIMENTS, experiment);
  const names = designs ?? chosen.designs;
  if (!Array.isArray(names) || names.length === 0) {
    throw wrongType("compare designs", names, 'it must be a list of at least one: ["linux6_1"]');
  }
  for (const name of names) kernelFlavour(name);
  chosen.provenance(options);
  return runVerdictExperiment(chosen, names, options);
}
