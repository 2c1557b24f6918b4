/**
 * A TLB shoot-down on the time line: a lane for each CPU, what it does from when to when, and for how long it still
 * translates with what is no longer true.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { fitRight, truncate, wrapParts, wrapWords } from "../core/text_fit.ts";
import { tint } from "./ansi.ts";
import { framed } from "./chart_frame.ts";
import { lookUp } from "./design_axis.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import { priceNote } from "./price_note.ts";
import type { VegaLiteSpec } from "./spec.ts";
import { PAPER } from "./theme.ts";

/** What a CPU does for a while. */
export interface ShootdownRow {
  readonly cpu: number;
  readonly what: "changes the entry" | "sends" | "waits" | "invalidates" | "stale" | "idle, owes";
  readonly from: number;
  readonly to: number;
  readonly unit: string;
  readonly source: string;
}

const DOES: Readonly<Record<ShootdownRow["what"], { readonly colour: string; readonly symbol: string }>> = {
  "changes the entry": { colour: "#4b3b82", symbol: "█" },
  "sends": { colour: "#0072b2", symbol: "▓" },
  "waits": { colour: "#bdbdbd", symbol: "·" },
  "invalidates": { colour: "#009e73", symbol: "▒" },
  "stale": { colour: "#d55e00", symbol: "≈" },
  "idle, owes": { colour: "#f0e442", symbol: "o" },
};

const WIDTH = 700;
const LANE = 26;

/**
 * Chart of {@linkcode ShootdownRow}s.
 *
 * @throws {RangeError} if there are no rows, or one ends before it begins
 *
 * @example
 * ```ts
 * import { shootdownTimeline } from "grantlab/plots";
 * const rest = { unit: "cycles", source: "assumed" };
 * const text = shootdownTimeline([
 *   { cpu: 0, what: "sends", from: 0, to: 600, ...rest },
 *   { cpu: 1, what: "stale", from: 0, to: 600, ...rest },
 * ]).toText();
 * if (!text.includes("CPU 1 │≈") || !text.includes("assumed prices")) throw new Error(text);
 * ```
 */
export function shootdownTimeline(
  rows: readonly ShootdownRow[],
  options: ChartOptions = {},
): Figure<ShootdownRow> {
  for (const { cpu, from, to } of rows) {
    if (!(Number.isFinite(from) && Number.isFinite(to) && from >= 0 && to >= from)) {
      throw outOfRange(`draw CPU ${cpu} up to`, to, `it must end after its start, ${from}`);
    }
  }
  const title = options.title ?? "A TLB shoot-down";
  const subtitle = options.subtitle ?? "";
  const axisTitle = `${rows[0]?.unit ?? ""}${priceNote(rows.map((row) => row.source))}`;
  const cpus = [...new Set(rows.map((row) => row.cpu))].sort((a, b) => a - b);
  const size = { width: WIDTH, height: 130 + cpus.length * LANE };
  return new Figure({
    title,
    rows,
    size,
    spec: framed({ title, subtitle, size }, specOf(rows, axisTitle)),
    text: (width, { colour }) => textOf(rows, cpus, [title, subtitle, axisTitle], width, colour),
  });
}

function kindsOf(rows: readonly ShootdownRow[]): ShootdownRow["what"][] {
  return (Object.keys(DOES) as ShootdownRow["what"][]).filter((what) =>
    rows.some((row) => row.what === what)
  );
}

function specOf(rows: readonly ShootdownRow[], axisTitle: string): Partial<VegaLiteSpec> {
  const kinds = kindsOf(rows);
  const cpuLabels = [...new Set(rows.map((row) => row.cpu))].map((cpu) =>
    [String(cpu), `CPU ${cpu}`] as const
  );
  return {
    data: { values: rows },
    mark: { type: "bar", stroke: PAPER.background, strokeWidth: 0.5 },
    encoding: {
      x: {
        field: "from",
        type: "quantitative",
        title: axisTitle,
        axis: { format: ",.0f", tickCount: 7 },
        scale: { nice: false },
      },
      x2: { field: "to" },
      y: {
        field: "cpu",
        type: "ordinal",
        title: null,
        axis: { labelExpr: lookUp(cpuLabels), domain: false, ticks: false },
        scale: { paddingInner: 0.2 },
      },
      fill: {
        field: "what",
        type: "nominal",
        scale: { domain: kinds, range: kinds.map((what) => DOES[what].colour) },
        legend: {
          title: null,
          orient: "bottom",
          direction: "horizontal",
          symbolType: "square",
          symbolSize: 160,
          symbolStrokeWidth: 0,
        },
      },
      tooltip: ["cpu", "what", "from", "to"].map((field) => ({ field })),
    },
  };
}

function textOf(
  rows: readonly ShootdownRow[],
  cpus: readonly number[],
  headings: readonly string[],
  width: number,
  colour: boolean,
): string {
  const most = Math.max(...rows.map((row) => row.to)) || 1;
  const label = Math.max(...cpus.map((cpu) => `CPU ${cpu}`.length));
  const room = Math.max(1, width - label - 2);
  const lines = headings.flatMap((text) => wrapWords(text, width));
  lines.push("");
  for (const cpu of cpus) {
    const own = rows.filter((row) => row.cpu === cpu).sort((a, b) => a.from - b.from);
    let text = "";
    let column = 0;
    for (const { what, from, to } of own) {
      const start = Math.max(column, Math.round(from / most * room));
      const end = Math.max(start, Math.round(to / most * room));
      text += " ".repeat(start - column) +
        tint(DOES[what].symbol.repeat(end - start), DOES[what].colour, colour);
      column = end;
    }
    lines.push(`${fitRight(`CPU ${cpu}`, label)} │${text}`);
  }
  const ends = `${" ".repeat(label)} └ 0 … ${Math.round(most)}`;
  const key = kindsOf(rows).map((what) => `${DOES[what].symbol} ${what}`);
  return [...lines, truncate(ends, width), "", ...wrapParts(key, "   ", width)].join("\n");
}
