/**
 * The same thing under two designs: for each step or event a line from one amount to the other, the change beside it.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { columnsOf, fitLeft, fitRight, truncate, wrapWords } from "../core/text_fit.ts";
import { tint } from "./ansi.ts";
import { framed } from "./chart_frame.ts";
import { lookUp } from "./design_axis.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import { priceNote } from "./price_note.ts";
import { rounded } from "./rounded.ts";
import { seriesStyle } from "./series_style.ts";
import type { VegaLiteSpec } from "./spec.ts";
import { PAPER } from "./theme.ts";

/** One step or event under both designs. */
export interface ChangeRow {
  readonly what: string;
  readonly before: number;
  readonly after: number;
  /** `cycles`, `events`: the same in all rows. */
  readonly unit: string;
  /** Where the amounts come from; nothing for counts of the model. */
  readonly source?: string;
}

/** Which two designs. */
export interface BeforeAfterOptions extends ChartOptions {
  readonly before: string;
  readonly after: string;
}

const WIDTH = 660;
const ROW_HEIGHT = 26;

/**
 * Chart of {@linkcode ChangeRow}s.
 *
 * @throws {RangeError} if there are no rows, or an amount is negative or not finite
 *
 * @example
 * ```ts
 * import { beforeAfter } from "grantlab/plots";
 * const text = beforeAfter([{ what: "hypercall", before: 10, after: 2, unit: "events" }], { before: "linux3_19", after: "linux4_0" })
 *   .toText();
 * if (!text.includes("10 → 2") || !text.includes("−80 %")) throw new Error(text);
 * ```
 */
export function beforeAfter(rows: readonly ChangeRow[], options: BeforeAfterOptions): Figure<ChangeRow> {
  for (const { what, before, after } of rows) {
    for (const amount of [before, after]) {
      if (!(amount >= 0 && Number.isFinite(amount))) {
        throw outOfRange(`draw ${what}:`, amount, "it must be a finite number from 0");
      }
    }
  }
  const names = [options.before, options.after] as const;
  const title = options.title ?? `${seriesStyle(names[0]).label} against ${seriesStyle(names[1]).label}`;
  const subtitle = options.subtitle ?? "";
  const sources = rows.flatMap(({ source }) => source === undefined ? [] : [source]);
  const axisTitle = `${rows[0]?.unit ?? ""}${priceNote(sources)}`;
  const size = { width: WIDTH, height: 120 + rows.length * ROW_HEIGHT };
  return new Figure({
    title,
    rows,
    size,
    spec: framed({ title, subtitle, size }, specOf(rows, names, axisTitle)),
    text: (width, { colour }) => textOf(rows, names, [title, subtitle, axisTitle], width, colour),
  });
}

function specOf(
  rows: readonly ChangeRow[],
  names: readonly [string, string],
  axisTitle: string,
): Partial<VegaLiteSpec> {
  const order = rows.map((row) => row.what);
  const most = Math.max(...rows.map((row) => Math.max(row.before, row.after))) || 1;
  const y = {
    field: "what",
    type: "nominal",
    sort: order,
    title: null,
    axis: { domain: false, ticks: false, labelLimit: 200, grid: false },
  };
  const x = {
    type: "quantitative",
    title: axisTitle,
    scale: { domain: [0, most * 1.22], nice: false },
    axis: { format: ",.0f", tickCount: 5, domain: false, grid: false },
  };
  const points = rows.flatMap((row) => [
    { what: row.what, design: names[0], amount: row.before },
    { what: row.what, design: names[1], amount: row.after },
  ]);
  const labels = rows.map((row) => ({
    what: row.what,
    at: Math.max(row.before, row.after),
    label: changeOf(row),
  }));
  const scale = { domain: names, range: names.map((name) => seriesStyle(name).colour) };
  const legend = {
    title: null,
    orient: "bottom",
    labelExpr: lookUp(names.map((name) => [name, seriesStyle(name).label])),
  };
  return {
    layer: [
      {
        data: { values: rows },
        mark: { type: "rule", color: PAPER.line, strokeWidth: 2 },
        encoding: { y, x: { ...x, field: "before" }, x2: { field: "after" } },
      },
      {
        data: { values: points },
        mark: { type: "point", filled: true, size: 90, opacity: 1 },
        encoding: {
          y,
          x: { ...x, field: "amount" },
          color: { field: "design", type: "nominal", scale, legend },
          shape: {
            field: "design",
            type: "nominal",
            scale: { domain: names, range: ["circle", "diamond"] },
            legend,
          },
        },
      },
      {
        data: { values: labels },
        mark: { type: "text", align: "left", baseline: "middle", dx: 9, color: PAPER.text },
        encoding: { y, x: { ...x, field: "at" }, text: { field: "label" } },
      },
    ],
  };
}

/** `−80 %`, `new`, `gone`, `same`. */
function changeOf({ before, after }: ChangeRow): string {
  if (before === after) return "same";
  if (before === 0) return "new";
  if (after === 0) return "gone";
  const percent = Math.round((after / before - 1) * 100);
  return percent === 0 ? "about the same" : `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`;
}

function textOf(
  rows: readonly ChangeRow[],
  names: readonly [string, string],
  headings: readonly string[],
  width: number,
  colour: boolean,
): string {
  const labelWidth = Math.min(24, Math.max(...rows.map((row) => columnsOf(row.what))));
  const tails = rows.map((row) => `${rounded(row.before)} → ${rounded(row.after)}  ${changeOf(row)}`);
  const tailWidth = Math.min(Math.floor(width / 2), Math.max(...tails.map(columnsOf)));
  const room = Math.max(1, width - labelWidth - 3 - tailWidth);
  const most = Math.max(...rows.map((row) => Math.max(row.before, row.after))) || 1;
  const lines = headings.flatMap((text) => wrapWords(text, width));
  lines.push(...wrapWords(`█ ${seriesStyle(names[0]).label}   ▒ ${seriesStyle(names[1]).label}`, width), "");
  rows.forEach((row, i) => {
    const bar = (amount: number, symbol: string, name: string) => {
      const drawn = symbol.repeat(Math.round(amount / most * room));
      return tint(drawn, seriesStyle(name).colour, colour) + " ".repeat(room - drawn.length);
    };
    lines.push(
      `${fitRight(row.what, labelWidth)} │${bar(row.before, "█", names[0])} ${
        fitLeft(truncate(tails[i]!, tailWidth), tailWidth)
      }`.trimEnd(),
    );
    lines.push(`${" ".repeat(labelWidth)} │${bar(row.after, "▒", names[1])}`.trimEnd());
  });
  return lines.join("\n");
}
