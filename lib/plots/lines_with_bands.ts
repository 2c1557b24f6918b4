/**
 * Amounts against one axis: a line for each series, a band where the amount has a range, on request the highest point
 * of each line marked. The terminal twin is a table of bars with the range behind.
 *
 * `costAgainst` (fast against slow, by pages) and `peakAndFall` (throughput by CPUs) are this chart with words.
 *
 * @module
 */

import { framed } from "./chart_frame.ts";
import { lookUp } from "./design_axis.ts";
import { Figure } from "./figure.ts";
import { type LineChart, lineChart, type LineOptions, type LineRow } from "./line_chart.ts";
import { linesText } from "./lines_text.ts";
import { rounded } from "./rounded.ts";
import { seriesStyles } from "./series_style.ts";
import type { VegaLiteSpec } from "./spec.ts";
import { PAPER } from "./theme.ts";

const SIZE = { width: 640, height: 420 } as const;

/**
 * Chart of {@linkcode LineRow}s.
 *
 * @throws {RangeError} if there are no rows, an amount is negative or not finite, a range does not hold its amount, or a
 *   line has two points at one place
 *
 * @example
 * ```ts
 * import { linesWithBands } from "grantlab/plots";
 * const at = (x: number, amount: number) => ({ series: "fast", x, amount, low: amount / 2, high: 2 * amount });
 * const text = linesWithBands([at(1, 60), at(2, 120), at(4, 90)], { peaks: true }).toText();
 * if (!text.includes("120") || !text.includes("peak")) throw new Error(text);
 * ```
 */
export function linesWithBands(rows: readonly LineRow[], options: LineOptions = {}): Figure<LineRow> {
  const chart = lineChart(rows, options);
  const { title, subtitle } = chart.words;
  return new Figure({
    title,
    rows,
    size: SIZE,
    spec: framed({ title, subtitle, size: SIZE }, specOf(chart, options)),
    text: (width, { colour }) => linesText(chart, width, colour),
  });
}

function specOf(chart: LineChart, { xLog, yLog }: LineOptions): Partial<VegaLiteSpec> {
  const { rows, names, xs, peaks, words } = chart;
  const isNumeric = xs.every((x) => typeof x === "number");
  const x = isNumeric
    ? {
      field: "x",
      type: "quantitative",
      title: words.xTitle,
      scale: xLog === true
        ? { type: "log", base: 2, nice: false }
        : { zero: false, nice: false, padding: 12 },
      axis: {
        ...(xs.length <= 16 ? { values: xs } : {}),
        ...(xs.length === 1 ? { format: ",~f" } : {}),
        labelOverlap: true,
        grid: false,
      },
    }
    : { field: "x", type: "ordinal", sort: xs, title: words.xTitle, axis: { labelAngle: 0 } };
  const y = {
    field: "amount",
    type: "quantitative",
    title: words.yTitle,
    scale: yLog === true ? { type: "log", nice: false } : { zero: true },
    axis: {
      ...(yLog === true ? { values: ticksOf(rows) } : { tickCount: 6 }),
      format: ",~r",
      titleLimit: 300,
    },
  };
  const styles = seriesStyles(names);
  const scale = { domain: names, range: styles.map((style) => style.colour) };
  const legend = names.length === 1 ? null : {
    title: null,
    orient: "bottom",
    columns: 3,
    symbolOpacity: 1,
    symbolStrokeWidth: 0,
    labelExpr: lookUp(names.map((name, i) => [name, styles[i]!.label])),
  };
  const colour = { field: "series", type: "nominal", scale, legend };
  const second = { field: "series", type: "nominal", scale: { domain: names }, legend };
  const hasBands = rows.some(({ amount, low = amount, high = amount }) => high > low);
  const bands = {
    mark: { type: "area", opacity: 0.13, line: false },
    encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color: colour },
  };
  return {
    data: {
      values: rows.map(({ amount, low = amount, high = amount, ...row }) => ({ ...row, amount, low, high })),
    },
    layer: [
      ...(hasBands ? [bands] : []),
      { mark: { type: "line", strokeWidth: 2 }, encoding: { x, y, color: colour, strokeDash: second } },
      {
        mark: { type: "point", filled: true, size: 45, opacity: 1 },
        encoding: {
          x,
          y,
          color: colour,
          shape: second,
          tooltip: ["series", "x", "amount", "low", "high"].map((field) => ({ field })),
        },
      },
      ...(peaks.length === 0 ? [] : peakLayers(peaks, x, y)),
    ],
  };
}

/** 1, 2, 5, 10, 20 … as far as the rows and their ranges reach. */
function ticksOf(rows: readonly LineRow[]): number[] {
  const least = Math.min(...rows.map(({ amount, low = amount }) => low).filter((value) => value > 0));
  const most = Math.max(...rows.map(({ amount, high = amount }) => high));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); 10 ** power <= most; power++) {
    ticks.push(
      ...[1, 2, 5].map((digit) => digit * 10 ** power).filter((tick) => tick >= least && tick <= most),
    );
  }
  return ticks;
}

function peakLayers(peaks: readonly LineRow[], x: object, y: object): object[] {
  const values = peaks.map((peak) => ({ ...peak, label: `peak: ${rounded(peak.amount)} at ${peak.x}` }));
  const ring = {
    type: "point",
    shape: "circle",
    size: 200,
    filled: false,
    stroke: PAPER.text,
    strokeWidth: 1.2,
  };
  // The highest peak has its words above, the others below, so that neighbours do not cover each other.
  const highest = Math.max(...peaks.map((peak) => peak.amount));
  const words = (isAbove: boolean) => ({
    data: { values: values.filter(({ amount }) => (amount === highest) === isAbove) },
    mark: {
      type: "text",
      align: "left",
      baseline: isAbove ? "bottom" : "top",
      dx: 9,
      dy: isAbove ? -7 : 7,
      color: PAPER.text,
    },
    encoding: { x, y, text: { field: "label" } },
  });
  return [{ data: { values }, mark: ring, encoding: { x, y } }, words(true), words(false)];
}
