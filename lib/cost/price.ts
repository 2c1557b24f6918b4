/**
 * What a price is. A price list has one for every event of `trace/events.ts`; a list that misses a row does not
 * compile. Nothing here knows what an event means or where the figures come from: that is each price's `source`.
 *
 * @module
 */

import type { EventKind } from "../trace/events.ts";

/** What prices may be counted in. Lists of different units are never added. */
export const PRICE_UNITS = ["cycles", "instructions", "ns"] as const;

/** Unit of a price list. Instructions are not cycles: a list has one unit. */
export type PriceUnit = typeof PRICE_UNITS[number];

/** The price of one event, in the unit of its list. Figures are finite and not negative; `low` ≤ `per` ≤ `high`. */
export interface Price {
  /** Paid once per run in which the event happens at all. 0 if absent. */
  readonly base?: number;
  /** Paid each time. */
  readonly per: number;
  /** The least that `per` may be. */
  readonly low: number;
  /** The most that `per` may be. */
  readonly high: number;
  /** Where the figure comes from. It begins with `measured` if it was measured; all else counts as assumed. */
  readonly source: string;
}

/** Prices of all events on one machine. */
export interface PriceList {
  readonly name: string;
  readonly unit: PriceUnit;
  /** What was measured, or is meant: processor, release, guest type. */
  readonly machine: string;
  readonly prices: Readonly<Record<EventKind, Price>>;
}

/**
 * Is the figure a measurement? If not, everything made from it says "assumed".
 *
 * @example
 * ```ts
 * import { isMeasured } from "grantlab/cost";
 * const price = { per: 1228, low: 1228, high: 1228 };
 * if (!isMeasured({ ...price, source: "measured: perf stat, Xen 4.17, 2026-01" })) throw new Error();
 * if (isMeasured({ ...price, source: "assumed: as a hypercall" })) throw new Error();
 * ```
 */
export function isMeasured(price: Price): boolean {
  return price.source.trimStart().toLowerCase().startsWith("measured");
}
