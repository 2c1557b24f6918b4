/**
 * What one run costs in each design: a bar per design, one part per layer that pays. The axis says in words whether
 * the prices were measured or assumed. The terminal twin is in `cost_by_design_text.ts`.
 *
 * @module
 */

import { type CostBars, costBars } from "./cost_bars.ts";
import { costByDesignText } from "./cost_by_design_text.ts";
import { designAxis, designSwatches, lookUp } from "./design_axis.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import { type FigureSize, VEGA_LITE_SCHEMA, type VegaLiteSpec } from "./spec.ts";
import { chartConfig, layerStyle } from "./theme.ts";

/** What one layer pays for one run of one design; rows of the same design and layer add up. */
export interface CostRow {
  /** Name of the flavour. */
  readonly design: string;
  /** Who pays: `user`, `linux`, `xen`, `hw`, … */
  readonly layer: string;
  /** From 0. */
  readonly amount: number;
  /** `cycles`, `instructions`, `ns`: the same in all rows. */
  readonly unit: string;
  /** Where the price comes from. `measured`, or a text that begins so, is a measurement; all else counts as assumed. */
  readonly source: string;
}

/** {@linkcode ChartOptions} and what the costs are for. */
export interface CostChartOptions extends ChartOptions {
  /** What the amounts are for: `one run`, `mapping 32 pages`. */
  readonly per?: string;
}

const BAR_HEIGHT = 30;
const WIDTH = 600;

/**
 * Chart of {@linkcode CostRow}s.
 *
 * @throws {RangeError} if there are no rows or units differ or an amount is negative or not finite
 * @example
 * ```ts
 * import { costByDesign } from "grantlab/plots";
 * const row = { design: "linux6_1", layer: "xen", amount: 900, unit: "instructions" };
 * if (!costByDesign([{ ...row, source: "assumed" }]).toText().includes("assumed prices")) throw new Error();
 * if (costByDesign([{ ...row, source: "measured 2026-01" }]).toText().includes("assumed")) throw new Error();
 * ```
 */
export function costByDesign(rows: readonly CostRow[], options: CostChartOptions = {}): Figure<CostRow> {
  const bars = costBars(rows, options.per ?? "one run");
  const title = options.title ?? "What a design costs, and who pays";
  const subtitle = options.subtitle ?? "";
  const size = { width: WIDTH, height: (subtitle === "" ? 135 : 150) + bars.designs.length * BAR_HEIGHT };
  return new Figure({
    title,
    rows,
    size,
    spec: specOf(bars, title, subtitle, size),
    text: (width, { colour }) => costByDesignText({ bars, title, subtitle, width, colour }),
  });
}

function specOf(bars: CostBars, title: string, subtitle: string, size: FigureSize): VegaLiteSpec {
  const y = { ...designAxis(bars.designs), scale: { paddingInner: 0.3, paddingOuter: 0.15 } };
  const greatest = Math.max(...bars.totals.values());
  const totals = bars.designs.map((design) => ({ design, total: bars.totals.get(design)! }));
  const x = {
    type: "quantitative",
    title: bars.axisTitle,
    // Room for the total behind the longest bar.
    scale: { domain: [0, greatest === 0 ? 1 : greatest * 1.15], nice: false },
    axis: { format: ",.0f", tickCount: 5, domain: false, ticks: false },
  };
  return {
    $schema: VEGA_LITE_SCHEMA,
    title: subtitle === "" ? { text: title } : { text: title, subtitle },
    width: size.width,
    height: size.height,
    autosize: { type: "fit", contains: "padding" },
    padding: 10,
    layer: [
      {
        data: { values: bars.parts.map((part) => ({ ...part, order: bars.layers.indexOf(part.layer) })) },
        mark: { type: "bar", stroke: "#ffffff", strokeWidth: 0.5 },
        encoding: {
          y,
          x: { ...x, field: "amount", stack: "zero" },
          order: { field: "order", type: "quantitative" },
          fill: {
            field: "layer",
            type: "nominal",
            scale: { domain: bars.layers, range: bars.layers.map((layer) => layerStyle(layer).colour) },
            legend: {
              title: "paid by",
              orient: "bottom",
              direction: "horizontal",
              symbolType: "square",
              symbolSize: 160,
              symbolStrokeWidth: 0,
              titleOrient: "left",
              titleAnchor: "middle",
              labelExpr: lookUp(bars.layers.map((layer) => [layer, layerStyle(layer).label])),
            },
          },
          tooltip: ["design", "layer", "amount", "unit", "source"].map((field) => ({ field })),
        },
      },
      {
        data: { values: totals },
        mark: { type: "text", align: "left", baseline: "middle", dx: 5 },
        encoding: {
          y: { ...y, axis: null },
          x: { ...x, field: "total" },
          text: { field: "total", type: "quantitative", format: ",.0f" },
        },
      },
      designSwatches(bars.designs),
    ],
    resolve: { axis: { y: "independent" } },
    config: chartConfig(),
  };
}
