/**
 * Prices for the rows of an experiment: a step of its own that reads counts and runs nothing.
 *
 * @module
 */

import { wholeNumber } from "../core/misuse.ts";
import { MOST_CPUS } from "../cost/closed_queues.ts";
import { type Contended, contended } from "../cost/contention.ts";
import { priceOf } from "../cost/price_of.ts";
import type { PriceList } from "../cost/price.ts";
import type { Point } from "./axis.ts";
import type { ExperimentRow } from "./experiment.ts";

/** A row with its price. */
export interface PricedRow {
  /** Axes and further columns. */
  readonly at: Point;
  readonly amount: number;
  readonly low: number;
  readonly high: number;
  readonly unit: string;
  /** Name of the price list. */
  readonly prices: string;
  /** Was any price in it not measured? */
  readonly assumed: boolean;
}

/**
 * Rows priced with a list; the model does not run.
 *
 * @example
 * ```ts
 * import { ASSUMED_CYCLES } from "grantlab/cost";
 * import { EXPERIMENTS, pricedRows, runExperiment } from "grantlab/experiments";
 * const { rows } = runExperiment(EXPERIMENTS.safe_unmap, { heldMs: 6 });
 * if (rows[0]!.amounts.waitedMs !== 9) throw new Error(); // looks after 5 and after 15 ms
 * const [row] = pricedRows(rows, ASSUMED_CYCLES);
 * if (!row!.assumed || row!.amount <= row!.low) throw new Error();
 * ```
 */
export function pricedRows(rows: readonly ExperimentRow[], prices: PriceList): PricedRow[] {
  return rows.map(({ at, events }) => {
    const { total, low, high, unit, list, assumed } = priceOf(events, prices);
    return { at, amount: total, low, high, unit, prices: list, assumed };
  });
}

/** What each layer pays in a row. */
export interface LayerRow extends Omit<PricedRow, "prices" | "assumed"> {
  readonly layer: string;
  /** Begins with `measured` only if every price in it was. */
  readonly source: string;
}

/** Rows priced by layer: one for every layer that pays. */
export function pricedByLayer(rows: readonly ExperimentRow[], prices: PriceList): LayerRow[] {
  return rows.flatMap(({ at, events }) => priceOf(events, prices).byLayer.map((layer) => ({ at, ...layer })));
}

/** What CPUs get out of a row's operation together. */
export interface ThroughputRow extends Contended {
  readonly at: Point;
}

/**
 * Throughput of rows whose column `cpus` says on how many.
 *
 * @throws {RangeError} if a row has no column `cpus`
 */
export function throughputRows(rows: readonly ExperimentRow[], prices: PriceList): ThroughputRow[] {
  return rows.map(({ at, events }) => {
    const cpus = wholeNumber("compute the throughput of CPUs", at["cpus"], 1, MOST_CPUS);
    return { at, ...contended(events, { cpus, prices }) };
  });
}
