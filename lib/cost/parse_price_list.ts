/**
 * A user's own price list, read from JSON. What must be in it, by example (one row of all):
 *
 * ```json
 * {
 *   "unit": "cycles",
 *   "machine": "Xeon Gold 6230, Xen 4.17, PV",
 *   "prices": {
 *     "hypercall": { "per": 310, "low": 290, "high": 350, "source": "measured: perf stat, 2026-01" }
 *   }
 * }
 * ```
 *
 * Start from `JSON.stringify(ASSUMED_CYCLES, null, 2)` and replace what was measured.
 *
 * @module
 */

import { wrongType } from "../core/misuse.ts";
import { jsonLinesOf } from "./json_lines_of.ts";
import type { PriceList } from "./price.ts";
import { priceList } from "./price_list.ts";

/**
 * Reads a price list, all of it or none. Every refusal names the list and the line.
 *
 * @param text JSON
 * @param name what the list is called in messages (a file's name), and its name if the text gives none; default `unnamed`
 * @throws {SyntaxError} if the text is not JSON, or has a key twice
 * @throws {TypeError} if a member or an event is missing or not of its type
 * @throws {RangeError} if an event, a unit or a member is unknown, a figure is negative or not finite, or not
 *   `low` ≤ `per` ≤ `high`
 *
 * @example
 * ```ts
 * import { ASSUMED_CYCLES, parsePriceList } from "grantlab/cost";
 * const text = JSON.stringify(ASSUMED_CYCLES).replace('"hypercall":{"per":450', '"hypercall":{"per":310');
 * if (parsePriceList(text, "mine.json").prices.hypercall.per !== 310) throw new Error();
 * ```
 */
export function parsePriceList(text: string, name = "unnamed"): PriceList {
  if (typeof text !== "string") throw wrongType("read a price list from", text, "it must be JSON text");
  const { value, lines } = jsonLinesOf(text, name);
  return priceList(value, { name, lineOf: (path) => lines.get(path) });
}
