/**
 * Bars stacked by who pays, in groups: the steps of a grant's life, each under several designs. A thin line behind a bar is
 * the range of its total. The terminal twin is in `cost_by_layer_text.ts`.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { framed } from "./chart_frame.ts";
import { costByLayerText } from "./cost_by_layer_text.ts";
import { lookUp } from "./design_axis.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import { barLabel, barsOf, type LayerChart, type LayerCostRow } from "./layer_bars.ts";
import { priceNote } from "./price_note.ts";
import type { VegaLiteSpec } from "./spec.ts";
import { layerStyle, orderLayers, PAPER } from "./theme.ts";

const WIDTH = 660;
const BAR_HEIGHT = 22;

/**
 * Chart of {@linkcode LayerCostRow}s.
 *
 * @throws {RangeError} if there are no rows, units differ, or an amount is negative or not finite
 *
 * @example
 * ```ts
 * import { costByLayer } from "grantlab/plots";
 * const row = { group: "map", bar: "linux6_1", layer: "xen", amount: 900, unit: "cycles", source: "assumed" };
 * const text = costByLayer([row, { ...row, layer: "linux", amount: 100 }]).toText();
 * if (!text.includes("1,000") || !text.includes("assumed prices")) throw new Error(text);
 * ```
 */
export function costByLayer(rows: readonly LayerCostRow[], options: ChartOptions = {}): Figure<LayerCostRow> {
  const unit = rows[0]?.unit ?? "";
  for (const row of rows) {
    if (row.unit !== unit) throw outOfRange(`draw ${unit} together with`, row.unit, "a chart has one unit");
    if (!(row.amount >= 0 && Number.isFinite(row.amount))) {
      throw outOfRange(`draw ${row.layer} of ${row.group}:`, row.amount, "it must be a finite number from 0");
    }
  }
  const paying = rows.filter((row) => row.amount > 0);
  const layers = orderLayers((paying.length > 0 ? paying : rows).map((row) => row.layer));
  const hasRange = rows.some(({ amount, low = amount, high = amount }) => high > low);
  const chart: LayerChart = {
    bars: barsOf(rows, layers),
    layers,
    title: options.title ?? "What each step costs, and who pays",
    subtitle: options.subtitle ?? "",
    axisTitle: `${unit}${priceNote(rows.map((row) => row.source))}${
      hasRange ? ", line: range of the total" : ""
    }`,
  };
  const size = { width: WIDTH, height: 120 + chart.bars.length * BAR_HEIGHT };
  return new Figure({
    title: chart.title,
    rows,
    size,
    spec: framed({ ...chart, size }, specOf(chart)),
    text: (width, { colour }) => costByLayerText(chart, width, colour),
  });
}

function specOf({ bars, layers, axisTitle }: LayerChart): Partial<VegaLiteSpec> {
  const keys = bars.map((_, i) => String(i));
  const y = {
    field: "key",
    type: "nominal",
    sort: keys,
    title: null,
    axis: {
      labelExpr: lookUp(bars.map((bar, i) => [String(i), barLabel(bar)])),
      labelLimit: 200,
      domain: false,
      ticks: false,
    },
    scale: { paddingInner: 0.25 },
  };
  const greatest = Math.max(...bars.map((bar) => Math.max(bar.high, bar.total))) || 1;
  const x = {
    type: "quantitative",
    title: axisTitle,
    scale: { domain: [0, greatest * 1.12], nice: false },
    axis: { format: ",.0f", tickCount: 5, domain: false, ticks: false },
  };
  const totals = bars.map((bar, i) => ({ key: keys[i], total: bar.total, low: bar.low, high: bar.high }));
  const parts = bars.flatMap((bar, i) =>
    bar.parts.map((part) => ({ ...part, key: keys[i], order: layers.indexOf(part.layer) }))
  );
  return {
    layer: [
      {
        data: { values: totals.filter(({ low, high }) => high > low) },
        mark: { type: "rule", color: PAPER.line, strokeWidth: 1 },
        encoding: { y: { ...y, axis: null }, x: { ...x, field: "low" }, x2: { field: "high" } },
      },
      {
        data: { values: parts },
        mark: { type: "bar", stroke: "#ffffff", strokeWidth: 0.5 },
        encoding: {
          y,
          x: { ...x, field: "amount", stack: "zero" },
          order: { field: "order", type: "quantitative" },
          fill: {
            field: "layer",
            type: "nominal",
            scale: { domain: layers, range: layers.map((layer) => layerStyle(layer).colour) },
            legend: {
              title: "paid by",
              orient: "bottom",
              direction: "horizontal",
              symbolType: "square",
              symbolSize: 160,
              symbolStrokeWidth: 0,
              titleOrient: "left",
              titleAnchor: "middle",
              labelExpr: lookUp(layers.map((layer) => [layer, layerStyle(layer).label])),
            },
          },
        },
      },
      {
        data: { values: totals },
        mark: { type: "text", align: "left", baseline: "middle", dx: 5 },
        encoding: {
          y: { ...y, axis: null },
          x: { ...x, field: "high" },
          text: { field: "total", type: "quantitative", format: ",.0f" },
        },
      },
    ],
    resolve: { axis: { y: "independent" } },
  };
}
