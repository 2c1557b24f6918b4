/**
 * Points of lines, checked and put in order, with the words that picture and terminal twin share.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import type { ChartOptions } from "./figure.ts";

/** One point. */
export interface LineRow {
  /** Name of its line. */
  readonly series: string;
  readonly x: number | string;
  readonly amount: number;
  /** Range of the amount. */
  readonly low?: number;
  readonly high?: number;
}

/** Words and scales. */
export interface LineOptions extends ChartOptions {
  readonly xTitle?: string;
  /** With the unit, and with "assumed" where it must be. */
  readonly yTitle?: string;
  readonly xLog?: boolean;
  readonly yLog?: boolean;
  /** Marks the highest point of each line that falls again. */
  readonly peaks?: boolean;
}

/** What picture and twin are drawn from. */
export interface LineChart {
  readonly rows: readonly LineRow[];
  readonly names: readonly string[];
  readonly xs: readonly (number | string)[];
  readonly peaks: readonly LineRow[];
  readonly words: Required<Pick<LineOptions, "title" | "subtitle" | "xTitle" | "yTitle">>;
}

/**
 * Points in the order of their lines.
 *
 * @throws {RangeError} for an amount that cannot be drawn, or two points at one place
 */
export function lineChart(rows: readonly LineRow[], options: LineOptions): LineChart {
  const places = new Set<string>();
  for (const { series, x, amount, low = amount, high = amount } of rows) {
    const fits = Number.isFinite(amount) && amount >= 0 && 0 <= low && low <= amount && amount <= high;
    if (!fits) {
      throw outOfRange(
        `draw ${series} at ${x}:`,
        amount,
        "it must be a finite number from 0, inside its range",
      );
    }
    if (places.has(`${x} ${series}`)) throw outOfRange(`draw ${series} at`, x, "it appears twice");
    places.add(`${x} ${series}`);
  }
  const names = [...new Set(rows.map((row) => row.series))];
  const xs = [...new Set(rows.map((row) => row.x))];
  if (xs.every((x) => typeof x === "number")) (xs as number[]).sort((a, b) => a - b);
  const peaks = options.peaks === true ? names.flatMap((name) => peakOf(rows, name, xs)) : [];
  const words = {
    title: options.title ?? "Amounts",
    subtitle: options.subtitle ?? "",
    xTitle: options.xTitle ?? "x",
    yTitle: options.yTitle ?? "amount",
  };
  return { rows, names, xs, peaks, words };
}

/** The highest point of a line, if the line falls after it by more than a tenth. */
function peakOf(rows: readonly LineRow[], name: string, xs: readonly (number | string)[]): LineRow[] {
  const own = rows.filter((row) => row.series === name).sort((a, b) => xs.indexOf(a.x) - xs.indexOf(b.x));
  const peak = own.reduce((best, row) => row.amount > best.amount ? row : best);
  return own.at(-1)!.amount < 0.9 * peak.amount ? [peak] : [];
}
