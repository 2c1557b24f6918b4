/**
 * Lines over a common axis: a series per colour, dash and mark, each axis with its unit. The terminal twin is a table
 * with a bar per place and series.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { columnsOf, fitLeft, fitRight, truncate, wrapWords } from "../core/text_fit.ts";
import { tint } from "./ansi.ts";
import { Figure } from "./figure.ts";
import { VEGA_LITE_SCHEMA, type VegaLiteSpec } from "./spec.ts";
import { chartConfig, designStyle } from "./theme.ts";

/** One point. */
export interface LineRow {
  readonly series: string;
  readonly x: number;
  readonly y: number;
}

/** Words of a chart. */
export interface LinesOptions {
  readonly title: string;
  /** Where the numbers come from: parameters, prices, `assumed`. */
  readonly subtitle: string;
  /** With its unit. */
  readonly xTitle: string;
  /** With its unit. */
  readonly yTitle: string;
  /** Over the legend. Default none. */
  readonly legend?: string;
}

const SIZE = { width: 640, height: 360 } as const;
const LONGEST_NAME = 24;

/** By place in the chart, for series that are no designs: those of Okabe and Ito, dark enough for a line. */
const COLOURS: readonly string[] = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#882255",
  "#805020",
  "#595959",
];

/**
 * Chart of {@linkcode LineRow}s.
 *
 * @throws {RangeError} if there are no rows, or a number is not finite or `y` is negative
 * @example
 * ```ts
 * import { lines } from "grantlab/plots";
 * const words = { title: "T", subtitle: "assumed", xTitle: "guests", yTitle: "requests per second" };
 * const figure = lines([{ series: "map and unmap", x: 1, y: 2 }], words);
 * if (!figure.toText().includes("guests")) throw new Error(figure.toText());
 * ```
 */
export function lines(rows: readonly LineRow[], options: LinesOptions): Figure<LineRow> {
  for (const { series, x, y } of rows) {
    if (!Number.isFinite(x)) {
      throw outOfRange(`place a point of ${series} at`, x, "it must be a finite number");
    }
    if (!(y >= 0 && Number.isFinite(y))) {
      throw outOfRange(`draw a point of ${series} at height`, y, "it must be a finite number from 0");
    }
  }
  return new Figure({
    title: options.title,
    rows,
    size: SIZE,
    spec: specOf(rows, options),
    text: (width, { colour }) => textOf(rows, options, width, colour),
  });
}

function specOf(
  rows: readonly LineRow[],
  { title, subtitle, xTitle, yTitle, legend = "" }: LinesOptions,
): VegaLiteSpec {
  const names = namesOf(rows);
  const x = { field: "x", type: "quantitative", title: xTitle, axis: { grid: false }, scale: { nice: true } };
  const y = { field: "y", type: "quantitative", title: yTitle, scale: { zero: true } };
  const colour = {
    field: "series",
    type: "nominal",
    title: legend,
    scale: { domain: names, range: names.map((_, i) => colourOf(names, i)) },
  };
  return {
    $schema: VEGA_LITE_SCHEMA,
    title: { text: title, subtitle },
    ...SIZE,
    autosize: { type: "fit", contains: "padding" },
    padding: 10,
    data: { values: rows.map((row) => ({ ...row })) },
    // Colour is not the only carrier: each series has its own mark and dashes.
    layer: [
      {
        mark: { type: "line" },
        encoding: { x, y, color: colour, strokeDash: { field: "series", title: legend, sort: names } },
      },
      {
        mark: { type: "point", filled: true, size: 50 },
        encoding: { x, y, color: colour, shape: { field: "series", title: legend, sort: names } },
      },
    ],
    config: chartConfig(),
  };
}

function textOf(rows: readonly LineRow[], options: LinesOptions, width: number, colour: boolean): string {
  const names = namesOf(rows);
  const nameWidth = Math.min(LONGEST_NAME, Math.max(...names.map(columnsOf)));
  const places = [...new Set(rows.map(({ x }) => x))].sort((a, b) => a - b);
  const most = Math.max(...rows.map(({ y }) => y)) || 1;
  const room = Math.max(1, width - 8 - nameWidth - 2 - 9);
  const { title, subtitle, xTitle, yTitle } = options;
  const text = [title, subtitle, `${yTitle}, by ${xTitle}`].flatMap((line) => wrapWords(line, width));
  text.push("");
  for (const place of places) {
    let label = shortNumber(place);
    for (const name of names) {
      const row = rows.find(({ series, x }) => series === name && x === place);
      if (row === undefined) continue;
      const bar = "█".repeat(Math.round(row.y / most * room));
      const head = truncate(`${fitRight(label, 7)} ${fitLeft(name, nameWidth)} │`, width);
      text.push(`${head}${tint(bar, colourOf(names, names.indexOf(name)), colour)} ${shortNumber(row.y)}`);
      label = "";
    }
  }
  return text.join("\n");
}

/** A design keeps its colour in every chart. */
function colourOf(names: readonly string[], i: number): string {
  const { label, colour } = designStyle(names[i]!);
  return label === names[i] ? COLOURS[i % COLOURS.length]! : colour;
}

function namesOf(rows: readonly LineRow[]): string[] {
  return [...new Set(rows.map(({ series }) => series))];
}

/** At most seven columns: `12`, `0.25`, `1.2 M`. */
function shortNumber(n: number): string {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e4]] as const) {
    if (Math.abs(n) >= size) return `${Number((n / (unit === "k" ? 1e3 : size)).toPrecision(3))} ${unit}`;
  }
  return String(Number(n.toPrecision(4)));
}
