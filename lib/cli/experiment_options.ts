/**
 * What `experiment` and `sweep` share: axes, price lists, the list of experiments.
 *
 * @module
 */

import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { outOfRange } from "../core/misuse.ts";
import { ASSUMED_CYCLES } from "../cost/assumed_cycles.ts";
import { parsePriceList } from "../cost/parse_price_list.ts";
import type { PriceList } from "../cost/price.ts";
import type { Experiment } from "../experiments/experiment.ts";

/** `--axis NAME=VALUE,…`, repeated. */
export const axisOption: Parser<"sync", readonly string[], unknown> = multiple(
  option("--axis", string({ metavar: "NAME=VALUE,…" }), {
    description: message`Values on an axis; from..to..step makes a range of numbers. May be repeated.`,
  }),
);

/** `--prices FILE`. */
export const pricesOption: Parser<"sync", string | undefined, unknown> = optional(
  option("--prices", path({ metavar: "FILE" }), {
    description: message`Price list; the built-in assumed one if not given.`,
  }),
);

/** `pages=1,2,4`, `design=linux4_0,linux6_1`, `pages=1..1000..3`. */
export function axisWishes(given: readonly string[]): Record<string, string[]> {
  const wishes: Record<string, string[]> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    const name = text.slice(0, at).trim();
    if (at < 1) throw outOfRange("take the axis", text, "it must be NAME=VALUE,…");
    if (Object.hasOwn(wishes, name)) throw outOfRange("take the axis", text, `${name} is given twice`);
    wishes[name] = text.slice(at + 1).split(",").flatMap((part) => range(part.trim()));
  }
  return wishes;
}

const MOST_VALUES = 1_000_000;

function range(text: string): string[] {
  const [, from, to, step = "1"] = /^(\d+)\.\.(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [];
  if (from === undefined || to === undefined) return [text];
  const count = Math.floor((Number(to) - Number(from)) / Number(step)) + 1;
  if (!(count >= 1 && count <= MOST_VALUES)) {
    throw outOfRange("take the range", text, `it must have 1 to ${MOST_VALUES} values`);
  }
  return Array.from({ length: count }, (_, i) => String(Number(from) + i * Number(step)));
}

/** The list in a file, or the built-in one. */
export async function readPrices(file: string | undefined): Promise<PriceList> {
  return file === undefined ? ASSUMED_CYCLES : parsePriceList(await Deno.readTextFile(file), file);
}

/** Values as `--axis` takes them: four numbers and more at equal distances as `0..60` or `1..250..3`. */
function asTyped(values: readonly unknown[]): string {
  const [first, second] = values;
  if (values.length < 4 || typeof first !== "number" || typeof second !== "number") return values.join(",");
  const step = second - first;
  if (step < 1 || values.some((value, i) => value !== first + i * step)) return values.join(",");
  return `${first}..${values.at(-1)}${step === 1 ? "" : `..${step}`}`;
}

/** All experiments, each with its question and its axes. */
export function describeExperiments(experiments: Readonly<Record<string, Experiment>>): string {
  return Object.values(experiments).map(({ name, question, axes }) => {
    const lines = Object.entries(axes).map(([axis, { meaning, values }]) =>
      `    --axis ${axis}=${asTyped(values)}${meaning === axis ? "" : `   ${meaning}`}`
    );
    return [name, `  ${question}`, ...lines].join("\n");
  }).join("\n\n");
}
