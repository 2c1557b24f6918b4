/**
 * Rows of a sweep as tables: CSV, JSON lines, Parquet. One column for each axis, column and amount, one for each event that
 * happened anywhere (0 where it did not), prices if a list is given, and where the row comes from.
 *
 * Pricing happens here, from the stored counts; the model does not run.
 *
 * @module
 */

import { parquetWriteBuffer } from "hyparquet-writer";
import { VERSION } from "../core/version.ts";
import { lookUp } from "../core/nearest.ts";
import { contended } from "../cost/contention.ts";
import { priceOf } from "../cost/price_of.ts";
import type { PriceList } from "../cost/price.ts";
import type { ExperimentResult } from "../experiments/experiment.ts";
import { toCsv } from "../plots/csv.ts";
import { EVENT_KINDS } from "../trace/events.ts";

/** A row as a flat record. */
export type FlatRow = Readonly<Record<string, string | number | boolean>>;

/** Where rows come from, and with what they are priced. */
export interface ExportOptions {
  /** Key of the model's text. */
  readonly model: string;
  /** Adds cost, and throughput where there is a column `cpus`. */
  readonly prices?: PriceList;
}

/** Flat records of a result; all have the same columns. */
export function flatRows(
  { experiment, rows }: ExperimentResult,
  { model, prices }: ExportOptions,
): FlatRow[] {
  const kinds = EVENT_KINDS.filter((kind) => rows.some(({ events }) => (events[kind] ?? 0) > 0));
  return rows.map(({ at, amounts, events }) => ({
    experiment: experiment.name,
    ...at,
    ...amounts,
    ...Object.fromEntries(kinds.map((kind) => [`events.${kind}`, events[kind] ?? 0])),
    ...(prices === undefined ? {} : pricesOf(events, at["cpus"], prices)),
    version: VERSION,
    model,
  }));
}

function pricesOf(
  events: ExperimentResult["rows"][number]["events"],
  cpus: unknown,
  prices: PriceList,
): FlatRow {
  const { total, low, high, unit, list, assumed } = priceOf(events, prices);
  const cost = { cost: total, cost_low: low, cost_high: high, unit, prices: list, assumed };
  if (typeof cpus !== "number" || prices.unit === "instructions") return cost;
  if (total === 0) return cost;
  const { throughput, low: least, high: most } = contended(events, { cpus, prices });
  return { ...cost, throughput, throughput_low: least, throughput_high: most };
}

/** Formats by name: file name and content. */
export const EXPORT_FORMATS: Readonly<Record<string, (rows: readonly FlatRow[]) => string | Uint8Array>> =
  Object
    .freeze({
      csv: (rows: readonly FlatRow[]) => toCsv(rows),
      jsonl: (rows: readonly FlatRow[]) => rows.map((row) => JSON.stringify(row) + "\n").join(""),
      parquet,
    });

/**
 * Rows in a format.
 *
 * @throws {RangeError} if there is no such format, or there are no rows
 */
export function exportRows(format: string, rows: readonly FlatRow[]): string | Uint8Array {
  const write = lookUp("format", EXPORT_FORMATS, format);
  if (rows.length === 0) throw new RangeError(`Cannot write ${format} of 0 rows: there are no columns`);
  return write(rows);
}

/** A column has one type: numbers as DOUBLE, truth values as BOOLEAN, all else as text. */
function parquet(rows: readonly FlatRow[]): Uint8Array {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columnData = names.map((name) => {
    const data = rows.map((row) => row[name] ?? null);
    const isAll = (type: string) => data.every((value) => value === null || typeof value === type);
    if (isAll("number")) return { name, data, type: "DOUBLE" as const };
    if (isAll("boolean")) return { name, data, type: "BOOLEAN" as const };
    return {
      name,
      data: data.map((value) => value === null ? null : String(value)),
      type: "STRING" as const,
    };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
