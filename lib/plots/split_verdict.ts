/**
 * The seed's question at one glance: after the split, which page does direct I/O reach in each design? A grid of
 * designs × pages, each cell coloured and marked by its verdict, the path written small, and a count at the right.
 *
 * Pages that are unmapped and refused with the expected errno are right answers, shown apart so that nobody counts them
 * as failures. Start with {@linkcode splitVerdict}; the terminal twin is in `split_verdict_text.ts`.
 *
 * @module
 */

import { designAxis, designAxisRoom, designSwatches, LABEL_LIMIT, labelRoom, lookUp } from "./design_axis.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import { textWidth } from "./font_metrics.ts";
import { type FigureSize, VEGA_LITE_SCHEMA, type VegaLiteSpec } from "./spec.ts";
import { type SplitGrid, splitGrid } from "./split_grid.ts";
import { splitVerdictText } from "./split_verdict_text.ts";
import { chartConfig, verdictStyle } from "./theme.ts";

/** One page of one design. */
export interface SplitVerdictRow {
  /** Name of the flavour. */
  readonly design: string;
  /** Number of the page in the mapping as it was before the split, from 0. */
  readonly page: number;
  /** Path that answered: `fast`, `slow`, … */
  readonly path: string;
  /** What direct I/O reached: a page, or the name of an errno. */
  readonly reached: string;
  /** What the reference says it must reach; the name of an errno (`EFAULT`) for a page that is unmapped. */
  readonly expected: string;
  /** `ok`, `wrong-page`, `errno`, `crash`, … */
  readonly verdict: string;
  /** What it cost, by kind of event. */
  readonly events: Readonly<Record<string, number>>;
}

const CELL_HEIGHT = 36;
/** From this width a cell has room for the word `slow`; below it for one letter. */
const WIDE_CELL = 34;
const NARROWEST_CELL = 14;
/** Around the picture, and between the cells and what stands at their right. */
const PADDING = 10;
const LEGEND_COLUMNS = 4;
const LEGEND_ROW = 16;
const SMALLEST_WIDTH = 600;
const GREATEST_WIDTH = 1200;

/**
 * Chart of {@linkcode SplitVerdictRow}s.
 *
 * @throws {RangeError} if there are no rows, a page is not a whole number from 0, or a page of a design appears twice
 * @example
 * ```ts
 * import { splitVerdict } from "grantlab/plots";
 * const row = { design: "seed2014", path: "slow", reached: "page 4", expected: "page 3", events: {} };
 * const figure = splitVerdict([{ ...row, page: 3, verdict: "wrong-page" }]);
 * if (!figure.toText().includes("1 wrong page")) throw new Error(figure.toText());
 * ```
 */
export function splitVerdict(
  rows: readonly SplitVerdictRow[],
  options: ChartOptions = {},
): Figure<SplitVerdictRow> {
  const grid = splitGrid(rows);
  const title = options.title ?? "After the split: which page does direct I/O reach?";
  const subtitle = options.subtitle ?? grid.summary;
  const beside = designAxisRoom(grid.designs) + labelRoom(grid.answers.values()) + 3 * PADDING;
  const width = Math.ceil(beside + grid.pages.length * NARROWEST_CELL);
  const size = {
    width: Math.min(GREATEST_WIDTH, Math.max(SMALLEST_WIDTH, width)),
    height: 142 + grid.designs.length * CELL_HEIGHT +
      Math.ceil(grid.outcomes.length / LEGEND_COLUMNS) * LEGEND_ROW,
  };
  return new Figure({
    title,
    rows,
    size,
    spec: specOf(grid, title, subtitle, { ...size, cell: (size.width - beside) / grid.pages.length }),
    text: (width, { colour }) => splitVerdictText({ grid, title, subtitle, width, colour }),
  });
}

function specOf(
  grid: SplitGrid,
  title: string,
  subtitle: string,
  size: FigureSize & { readonly cell: number },
): VegaLiteSpec {
  const isWide = size.cell >= WIDE_CELL;
  const hasText = size.cell >= NARROWEST_CELL - 4;
  const labelSize = isWide ? 11 : 9;
  const everyLabel = labelStep(grid.pages, size.cell, labelSize);
  const values = grid.cells.map(({ row, outcome }) => ({
    design: row.design,
    page: row.page,
    path: row.path,
    reached: row.reached,
    expected: row.expected,
    verdict: row.verdict,
    outcome,
    symbol: verdictStyle(outcome).symbol,
    small: isWide ? row.path : grid.letters.get(row.path)!,
    ink: verdictStyle(outcome).ink,
  }));
  const x = {
    field: "page",
    type: "ordinal",
    axis: {
      title: "page of the mapping, numbered before the split (4 KiB pages)",
      orient: "top",
      labelAngle: 0,
      labelOverlap: false,
      labelExpr: everyLabel === 1 ? "datum.label" : `datum.value % ${everyLabel} === 0 ? datum.label : ''`,
      labelFontSize: labelSize,
      domain: false,
      ticks: false,
    },
    scale: { paddingInner: isWide ? 0.06 : 0.1, paddingOuter: 0 },
  };
  const scale = { paddingInner: 0.12, paddingOuter: 0 };
  const y = { ...designAxis(grid.designs), scale };
  const text = (field: string, dy: number, fontSize: number) => ({
    mark: { type: "text", baseline: "middle", dy, fontSize },
    encoding: {
      x,
      y: { ...y, axis: null },
      text: { field },
      color: { field: "ink", type: "nominal", scale: null, legend: null },
    },
  });
  const legend = {
    title: null,
    orient: "bottom",
    direction: "horizontal",
    columns: LEGEND_COLUMNS,
    symbolType: "square",
    symbolSize: 160,
    symbolStrokeWidth: 0,
    labelExpr: lookUp(grid.outcomes.map((o) => [o, `${verdictStyle(o).symbol} ${verdictStyle(o).label}`])),
  };
  return {
    $schema: VEGA_LITE_SCHEMA,
    title: { text: title, subtitle: hasText && !isWide ? [subtitle, grid.letterKey] : subtitle },
    width: size.width,
    height: size.height,
    autosize: { type: "fit", contains: "padding" },
    padding: PADDING,
    data: { values },
    layer: [
      {
        mark: { type: "rect", cornerRadius: 2 },
        encoding: {
          x,
          y,
          fill: {
            field: "outcome",
            type: "nominal",
            scale: { domain: grid.outcomes, range: grid.outcomes.map((o) => verdictStyle(o).fill) },
            legend,
          },
          tooltip: ["design", "page", "path", "reached", "expected", "verdict"].map((field) => ({ field })),
        },
      },
      ...(hasText ? [text("symbol", -6, isWide ? 14 : 11), text("small", 9, 9)] : []),
      designSwatches(grid.designs),
      answers(grid),
    ],
    resolve: { axis: { y: "independent" } },
    config: chartConfig(),
  };
}

/** Every how many pages there is room for a number: 1, or a power of two. */
function labelStep(pages: readonly number[], cell: number, fontSize: number): number {
  const widest = Math.max(...pages.map((page) => textWidth(String(page), fontSize)));
  let step = 1;
  while (step * cell < widest + (step === 1 ? 2 : 8)) step *= 2;
  return step;
}

/** An invisible layer that carries the right-hand axis: what each design's row comes to. */
function answers(grid: SplitGrid): Record<string, unknown> {
  const axis = {
    orient: "right",
    title: null,
    labelExpr: lookUp(grid.designs.map((design) => [design, grid.answers.get(design)!])),
    labelLimit: LABEL_LIMIT,
    domain: false,
    ticks: false,
  };
  return {
    mark: { type: "point", opacity: 0 },
    encoding: { y: { field: "design", type: "nominal", sort: grid.designs, axis } },
  };
}
