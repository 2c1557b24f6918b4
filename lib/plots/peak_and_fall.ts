/**
 * Throughput of all CPUs together: how far it scales, where it peaks, how it falls. Bands are the ranges of the prices.
 *
 * @module
 */

import type { ChartOptions, Figure } from "./figure.ts";
import type { LineRow } from "./line_chart.ts";
import { linesWithBands } from "./lines_with_bands.ts";

/** One point: all CPUs together. */
export interface ThroughputPoint {
  readonly series: string;
  readonly cpus: number;
  readonly throughput: number;
  readonly low?: number;
  readonly high?: number;
  /** `operations per million cycles` */
  readonly unit: string;
  readonly assumed: boolean;
}

/**
 * Chart of {@linkcode ThroughputPoint}s; the highest point of a line that falls again is marked.
 *
 * @throws {RangeError} as `linesWithBands`
 *
 * @example
 * ```ts
 * import { peakAndFall } from "grantlab/plots";
 * const at = (cpus: number, throughput: number) => ({ series: "map", cpus, throughput, unit: "operations per s", assumed: true });
 * const text = peakAndFall([at(1, 10), at(4, 30), at(8, 20)]).toText();
 * if (!/30 peak/.test(text) || !text.includes("assumed prices")) throw new Error(text);
 * ```
 */
export function peakAndFall(rows: readonly ThroughputPoint[], options: ChartOptions = {}): Figure<LineRow> {
  const points = rows.map(({ cpus, throughput, ...row }) => ({ ...row, x: cpus, amount: throughput }));
  const note = rows.some((row) => row.assumed) ? " (assumed prices)" : "";
  return linesWithBands(points, {
    title: "Throughput by CPUs",
    ...options,
    xTitle: "CPUs",
    yTitle: `${rows[0]?.unit ?? "operations"}${note}`,
    peaks: true,
    xLog: true,
    yLog: true,
  });
}
