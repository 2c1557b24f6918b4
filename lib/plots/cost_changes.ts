/**
 * What became cheaper or dearer from one release to the next: a bar to the left and one to the right of nothing, in parts
 * by event, with the sum beside it. The terminal twin names the largest parts in words.
 *
 * @module
 */

import { columnsOf, fitLeft, fitRight, wrapWords } from "../core/text_fit.ts";
import { outOfRange } from "../core/misuse.ts";
import { framed } from "./chart_frame.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import { priceNote } from "./price_note.ts";
import { seriesStyles } from "./series_style.ts";
import type { VegaLiteSpec } from "./spec.ts";

/** What one event adds to a call or takes off. */
export interface CostChangeRow {
  readonly bench: string;
  readonly n: number;
  readonly from: string;
  readonly to: string;
  readonly event: string;
  /** Below 0: cheaper. */
  readonly change: number;
  readonly unit: string;
  readonly source: string;
}

const WIDTH = 760;
const BAR_HEIGHT = 24;
/** Events with a colour of their own; all others together are one part. */
const MOST_EVENTS = 7;
const OTHER = "others";

interface Bar {
  readonly label: string;
  readonly sum: number;
  /** Largest first. */
  readonly parts: readonly { readonly event: string; readonly change: number }[];
}

/**
 * Chart of {@linkcode CostChangeRow}s.
 *
 * @throws {RangeError} if there are no rows, units differ, or a change is not finite
 *
 * @example
 * ```ts
 * import { costChanges } from "grantlab/plots";
 * const call = { bench: "mmap_anon", n: 1, from: "linux6_1", to: "linux6_12", unit: "instructions", source: "measured" };
 * const nodes = { ...call, event: "vma_tree_prealloc", change: -2100 };
 * const text = costChanges([nodes, { ...call, event: "vma_alloc", change: 600 }]).toText();
 * if (!text.includes("-1,500") || !text.includes("vma_tree_prealloc -2,100")) throw new Error(text);
 * ```
 */
export function costChanges(
  rows: readonly CostChangeRow[],
  options: ChartOptions = {},
): Figure<CostChangeRow> {
  const unit = rows[0]?.unit ?? "";
  for (const row of rows) {
    if (row.unit !== unit) throw outOfRange(`draw ${unit} together with`, row.unit, "a chart has one unit");
    if (!Number.isFinite(row.change)) {
      throw outOfRange(`draw ${row.event} of ${row.bench}:`, row.change, "it must be a finite number");
    }
  }
  const bars = barsOf(rows);
  const title = options.title ?? "What releases made cheaper or dearer";
  const subtitle = options.subtitle ?? "";
  const axisTitle = `change in ${unit} of one call${priceNote(rows.map(({ source }) => source))}`;
  const size = { width: WIDTH, height: 170 + bars.length * BAR_HEIGHT };
  return new Figure({
    title,
    rows,
    size,
    spec: framed({ title, subtitle, size }, specOf(bars, axisTitle)),
    text: (width) => textOf(bars, [title, subtitle, axisTitle], width),
  });
}

/** A bar for each call and pair of releases, in the order of the rows. */
function barsOf(rows: readonly CostChangeRow[]): Bar[] {
  const labelOf = ({ bench, n, from, to }: CostChangeRow) =>
    `${bench} ${n}: ${releaseName(from)} → ${releaseName(to)}`;
  return [...new Set(rows.map(labelOf))].map((label) => {
    const own = rows.filter((row) => labelOf(row) === label);
    const parts = own.map(({ event, change }) => ({ event, change }))
      .sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
    return { label, parts, sum: own.reduce((sum, { change }) => sum + change, 0) };
  });
}

/** `linux6_12-xen4_20` is 6.12 on 4.20: the kernel is what bars differ in. */
function releaseName(name: string): string {
  return name.replace(/^linux/, "").replace(/-xen.*$/, "").replaceAll("_", ".");
}

/** Events with a part of their own: the largest of all bars. */
function namedEvents(bars: readonly Bar[]): string[] {
  const weight = new Map<string, number>();
  for (const { parts } of bars) {
    const all = parts.reduce((sum, { change }) => sum + Math.abs(change), 0) || 1;
    for (const { event, change } of parts) {
      weight.set(event, (weight.get(event) ?? 0) + Math.abs(change) / all);
    }
  }
  return [...weight].sort((a, b) => b[1] - a[1]).slice(0, MOST_EVENTS).map(([event]) => event);
}

function specOf(bars: readonly Bar[], axisTitle: string): Partial<VegaLiteSpec> {
  const named = namedEvents(bars);
  const events = [...named, OTHER];
  const colours = [...seriesStyles(named).map(({ colour }) => colour), "#cccccc"];
  const parts = bars.flatMap(({ label, parts }) =>
    events.flatMap((event) => {
      const own = parts.filter((part) =>
        event === OTHER ? !named.includes(part.event) : part.event === event
      );
      // What adds and what takes off are drawn on their own sides, also among the others.
      return [1, -1].flatMap((sign) => {
        const change = own.reduce(
          (sum, part) => sum + (Math.sign(part.change) === sign ? part.change : 0),
          0,
        );
        return change === 0 ? [] : [{ label, event, change, order: events.indexOf(event) }];
      });
    })
  );
  const labels = bars.map(({ label }) => label);
  const y = {
    field: "label",
    type: "nominal",
    sort: labels,
    title: null,
    axis: { labelLimit: 330, domain: false, ticks: false },
    scale: { paddingInner: 0.25 },
  };
  const ends = bars.map(({ label, parts, sum }) => {
    const right = parts.reduce((end, { change }) => end + Math.max(0, change), 0);
    return { label, right, text: signed(sum) };
  });
  return {
    layer: [
      {
        data: { values: parts },
        mark: { type: "bar", stroke: "#ffffff", strokeWidth: 0.5 },
        encoding: {
          y,
          x: {
            field: "change",
            type: "quantitative",
            stack: "zero",
            title: axisTitle,
            axis: { format: ",.0f", tickCount: 6 },
          },
          order: { field: "order", type: "quantitative" },
          fill: {
            field: "event",
            type: "nominal",
            scale: { domain: events, range: colours },
            legend: { title: null, orient: "bottom", columns: 4, symbolType: "square", symbolStrokeWidth: 0 },
          },
        },
      },
      {
        data: { values: ends },
        mark: { type: "text", align: "left", baseline: "middle", dx: 5, fontWeight: "bold" },
        encoding: {
          y: { ...y, axis: null },
          x: { field: "right", type: "quantitative" },
          text: { field: "text" },
        },
      },
    ],
    resolve: { axis: { y: "independent" } },
  };
}

function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${Math.round(value).toLocaleString("en-US")}`;
}

/** The sum, then the parts that make most of it, as many as fit. */
function textOf(bars: readonly Bar[], words: readonly string[], width: number): string {
  const labelWidth = Math.max(...bars.map(({ label }) => columnsOf(label)));
  const sumWidth = Math.max(...bars.map(({ sum }) => signed(sum).length));
  const lines = bars.map(({ label, sum, parts }) => {
    let line = `${fitLeft(label, labelWidth)} ${fitRight(signed(sum), sumWidth)}  `;
    for (const { event, change } of parts) {
      const next = `${event} ${signed(change)}`;
      if (columnsOf(line) + columnsOf(next) > width) break;
      line += `${next}, `;
    }
    return line.replace(/[, ]+$/, "");
  });
  return [...words.filter((text) => text !== "").flatMap((text) => wrapWords(text, width)), "", ...lines]
    .join("\n");
}
