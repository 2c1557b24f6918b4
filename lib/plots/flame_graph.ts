/**
 * A call's spans: who called what, and what it cost. A row of boxes for each depth, as wide as their cost, the call
 * itself at the top. The terminal twin is an indented list with bars.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { columnsOf, fitLeft, truncate, wrapWords } from "../core/text_fit.ts";
import { tint } from "./ansi.ts";
import { framed } from "./chart_frame.ts";
import { lookUp } from "./design_axis.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import { textWidth } from "./font_metrics.ts";
import { priceNote } from "./price_note.ts";
import { rounded } from "./rounded.ts";
import type { VegaLiteSpec } from "./spec.ts";
import { layerStyle, orderLayers, PAPER } from "./theme.ts";

/** One span. */
export interface SpanRow {
  readonly name: string;
  /** Who runs it: `linux`, `xen`, … */
  readonly layer: string;
  /** 0 for the call itself. */
  readonly depth: number;
  /** Where its cost begins and ends, counted from the start of the call. */
  readonly from: number;
  readonly to: number;
  readonly unit: string;
  readonly source: string;
}

const WIDTH = 700;
const ROW_HEIGHT = 26;
const LABEL_SIZE = 11;
const INNER_WIDTH = 660;

/**
 * Chart of {@linkcode SpanRow}s.
 *
 * @throws {RangeError} if there are no rows, or a span ends before it begins
 *
 * @example
 * ```ts
 * import { flameGraph } from "grantlab/plots";
 * const rest = { unit: "cycles", source: "assumed" };
 * const text = flameGraph([
 *   { name: "munmap", layer: "linux", depth: 0, from: 0, to: 100, ...rest },
 *   { name: "unmap_grant_ref", layer: "xen", depth: 1, from: 20, to: 90, ...rest },
 * ]).toText();
 * if (!text.includes("  unmap_grant_ref") || !text.includes("70 %")) throw new Error(text);
 * ```
 */
export function flameGraph(rows: readonly SpanRow[], options: ChartOptions = {}): Figure<SpanRow> {
  for (const { name, from, to, depth } of rows) {
    if (!(Number.isFinite(from) && Number.isFinite(to) && from >= 0 && to >= from)) {
      throw outOfRange(`draw span ${name} up to`, to, `it must end after its start, ${from}`);
    }
    if (!Number.isSafeInteger(depth) || depth < 0) {
      throw outOfRange(`draw span ${name} at depth`, depth, "it must be a whole number from 0");
    }
  }
  const title = options.title ?? "A call and what it calls";
  const subtitle = options.subtitle ?? "";
  const axisTitle = `${rows[0]?.unit ?? ""}${priceNote(rows.map((row) => row.source))}`;
  const depths = Math.max(0, ...rows.map((row) => row.depth)) + 1;
  const size = { width: WIDTH, height: 130 + depths * ROW_HEIGHT };
  return new Figure({
    title,
    rows,
    size,
    spec: framed({ title, subtitle, size }, specOf(rows, axisTitle)),
    text: (width, { colour }) => textOf(rows, [title, subtitle, axisTitle], width, colour),
  });
}

function specOf(rows: readonly SpanRow[], axisTitle: string): Partial<VegaLiteSpec> {
  const layers = orderLayers(rows.map((row) => row.layer));
  const most = Math.max(...rows.map((row) => row.to)) || 1;
  const values = rows.map((row) => ({ ...row, mid: (row.from + row.to) / 2, label: labelOf(row, most) }));
  const scale = { domain: [0, most], nice: false };
  const x = {
    type: "quantitative",
    title: axisTitle,
    scale,
    axis: { format: ",.0f", tickCount: 6, grid: false, orient: "bottom" },
  };
  const y = { field: "depth", type: "ordinal", axis: null, scale: { paddingInner: 0.06 } };
  const fill = {
    field: "layer",
    type: "nominal",
    scale: { domain: layers, range: layers.map((layer) => layerStyle(layer).colour) },
    legend: {
      title: "runs in",
      orient: "bottom",
      direction: "horizontal",
      titleOrient: "left",
      symbolType: "square",
      symbolSize: 160,
      symbolStrokeWidth: 0,
      labelExpr: lookUp(layers.map((layer) => [layer, layerStyle(layer).label])),
    },
  };
  const text = (isLight: boolean) => ({
    transform: [{
      filter: isLight
        ? "datum.layer !== 'xen' && datum.layer !== 'hw'"
        : "datum.layer === 'xen' || datum.layer === 'hw'",
    }],
    mark: {
      type: "text",
      baseline: "middle",
      fontSize: LABEL_SIZE,
      color: isLight ? PAPER.text : PAPER.background,
    },
    encoding: { x: { ...x, field: "mid" }, y, text: { field: "label" } },
  });
  return {
    data: { values },
    layer: [
      {
        mark: { type: "rect", stroke: "#ffffff", strokeWidth: 1 },
        encoding: {
          x: { ...x, field: "from" },
          x2: { field: "to" },
          y,
          fill,
          tooltip: ["name", "from", "to"].map((field) => ({ field })),
        },
      },
      text(true),
      text(false),
    ],
  };
}

/** The name, shortened to fit its box; nothing in a narrow one. */
function labelOf({ name, from, to }: SpanRow, most: number): string {
  const room = (to - from) / most * INNER_WIDTH - 8;
  if (textWidth(name, LABEL_SIZE) <= room) return name;
  for (let n = name.length - 1; n >= 3; n--) {
    const cut = `${name.slice(0, n)}…`;
    if (textWidth(cut, LABEL_SIZE) <= room) return cut;
  }
  return "";
}

const LONGEST_NAME = 40;

function textOf(
  rows: readonly SpanRow[],
  headings: readonly string[],
  width: number,
  colour: boolean,
): string {
  const most = Math.max(...rows.map((row) => row.to)) || 1;
  const labels = rows.map((row) => `${"  ".repeat(row.depth)}${row.name}`);
  const labelWidth = Math.min(LONGEST_NAME, Math.floor(width / 2), Math.max(...labels.map(columnsOf)));
  const room = Math.max(1, width - labelWidth - 20);
  const lines = headings.flatMap((text) => wrapWords(text, width));
  lines.push("");
  rows.forEach((row, i) => {
    const start = Math.round(row.from / most * room);
    const end = Math.round(row.to / most * room);
    const style = layerStyle(row.layer);
    const bar = " ".repeat(start) + tint(style.symbol.repeat(end - start), style.colour, colour) +
      " ".repeat(room - end);
    const share = `${Math.round((row.to - row.from) / most * 100)} %`;
    lines.push(
      `${fitLeft(truncate(labels[i]!, labelWidth), labelWidth)} │${bar}│ ${
        rounded(row.to - row.from)
      }, ${share}`,
    );
  });
  return lines.map((line) => colour ? line : truncate(line, width)).join("\n");
}
