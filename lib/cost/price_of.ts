/**
 * Counts times prices. Pricing runs no model: the counts of one run are priced again with another list at no cost.
 *
 * Leaves out contention and caches: a lock costs the same however many wait for it, the hundredth read of an entry
 * as much as the first. Ranges are bounds, not confidence: `low` and `high` of a sum have every price at the same
 * end at once.
 *
 * @module
 */

import { outOfRange, wrongType } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { knownOptions } from "../core/options.ts";
import { EVENT_KINDS, type EventKind, type EventRow, EVENTS } from "../trace/events.ts";
import { isMeasured, type PriceList, type PriceUnit } from "./price.ts";

/** Counts by event, as `Trace.since` answers them; an event left out did not happen. */
export type CountsByEvent = Readonly<Partial<Record<EventKind, number>>>;

/** An amount with its bounds. */
export interface Amount {
  readonly amount: number;
  readonly low: number;
  readonly high: number;
}

/** What one kind of event costs in a run. */
export interface EventCost extends Amount {
  readonly event: EventKind;
  /** Who pays. */
  readonly layer: EventRow["layer"];
  readonly count: number;
  readonly unit: PriceUnit;
  /** Of its price. */
  readonly source: string;
}

/** What one layer pays for a run: a row for charts. */
export interface LayerCost extends Amount {
  /** The design that ran, if the caller named it. */
  readonly design?: string;
  readonly layer: EventRow["layer"];
  readonly unit: PriceUnit;
  /** Begins with `measured` only if every price in the amount was. */
  readonly source: string;
}

/** The price of one run. */
export interface Cost {
  readonly total: number;
  readonly low: number;
  readonly high: number;
  readonly unit: PriceUnit;
  /** Name of the price list. */
  readonly list: string;
  /** Is there a price in it that was not measured? A price of 0 counts, too. */
  readonly assumed: boolean;
  /** A row per event that happened, in the order of the table of events. */
  readonly byEvent: readonly EventCost[];
  /** A row per layer in which something happened, in the same order. */
  readonly byLayer: readonly LayerCost[];
}

/** Words for the rows. */
export interface PriceOfOptions {
  /** The design that ran, for the rows by layer. */
  readonly design?: string;
}

const KNOWN: Readonly<Record<keyof PriceOfOptions, true>> = { design: true };

/**
 * What these events cost with these prices.
 *
 * @throws {TypeError} if a count is not a number, or the list no price list
 * @throws {RangeError} if a count is negative or not finite, or there is no such event or option
 *
 * @example
 * ```ts
 * import { ASSUMED_CYCLES, priceOf } from "grantlab/cost";
 * const cost = priceOf({ hypercall: 1, active_lock: 3 }, ASSUMED_CYCLES);
 * if (cost.total !== 450 + 3 * 40 || cost.unit !== "cycles" || !cost.assumed) throw new Error();
 * ```
 */
export function priceOf(counts: CountsByEvent, list: PriceList, options: PriceOfOptions = {}): Cost {
  if (typeof Object(list).prices !== "object") {
    throw wrongType("price events by", list, "it must be a price list, such as ASSUMED_CYCLES");
  }
  knownOptions("priceOf()", options, KNOWN);
  const { design } = options;
  for (const event of Object.keys(counts)) checkCount(event, (counts as Record<string, unknown>)[event]);
  const byEvent = EVENT_KINDS.flatMap((event) => eventCost(event, counts[event] ?? 0, list));
  const layers = [...new Set(byEvent.map((row) => row.layer))];
  const { amount: total, low, high } = sum(byEvent);
  return {
    total,
    low,
    high,
    unit: list.unit,
    list: list.name,
    assumed: byEvent.some((row) => !isMeasured(list.prices[row.event])),
    byEvent,
    byLayer: layers.map((layer) => layerCost(layer, byEvent, list, design)),
  };
}

function eventCost(event: EventKind, count: number, list: PriceList): EventCost[] {
  if (count === 0) return [];
  const { base = 0, per, low, high, source } = list.prices[event];
  return [{
    event,
    layer: EVENTS[event].layer,
    count,
    amount: base + count * per,
    low: base + count * low,
    high: base + count * high,
    unit: list.unit,
    source,
  }];
}

function layerCost(
  layer: EventRow["layer"],
  byEvent: readonly EventCost[],
  list: PriceList,
  design: string | undefined,
): LayerCost {
  const own = byEvent.filter((row) => row.layer === layer);
  const measured = own.filter((row) => isMeasured(list.prices[row.event])).length;
  const word = measured === own.length ? "measured" : measured === 0 ? "assumed" : "partly assumed";
  const row = { layer, ...sum(own), unit: list.unit, source: `${word}: ${list.name}, ${list.machine}` };
  return design === undefined ? row : { design, ...row };
}

function sum(rows: readonly Amount[]): Amount {
  let amount = 0, low = 0, high = 0;
  for (const row of rows) {
    amount += row.amount;
    low += row.low;
    high += row.high;
  }
  return { amount, low, high };
}

function checkCount(event: string, count: unknown): void {
  lookUp("event", EVENTS, event);
  if (count === undefined) return;
  if (typeof count !== "number") throw wrongType(`price ${event} ×`, count, "a count must be a number");
  if (!(Number.isFinite(count) && count >= 0)) {
    throw outOfRange(`price ${event} ×`, count, "a count must be a finite number from 0");
  }
}
