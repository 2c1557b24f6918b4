/**
 * From an experiment's rows to its figure: the one place that knows both.
 *
 * @module
 */

import { instanceOf } from "../core/misuse.ts";
import { knownOptions } from "../core/options.ts";
import { ASSUMED_CYCLES } from "../cost/assumed_cycles.ts";
import type { PriceList } from "../cost/price.ts";
import { priceOf } from "../cost/price_of.ts";
import { Comparison } from "../experiments/comparison.ts";
import { ExperimentResult } from "../experiments/experiment.ts";
import type { SplitThenPinRow } from "../experiments/split_then_pin.ts";
import { costByDesign } from "../plots/cost_by_design.ts";
import type { Figure } from "../plots/figure.ts";
import { splitVerdict } from "../plots/split_verdict.ts";
import { table } from "../plots/table.ts";
import { addCounts } from "../trace/add_counts.ts";
import { chartExperiment, type ChartExperimentOptions, expectPrices } from "./chart_experiment.ts";

const COMPARED = "it must be what compare() answers";

/**
 * The figure of a comparison, or of an experiment's rows as {@linkcode chartExperiment} draws them: prints as a chart in
 * the terminal, saves as PNG, SVG or CSV.
 *
 * @throws {TypeError} for anything else
 *
 * @example
 * ```ts
 * import { chart, compare } from "grantlab";
 * const figure = chart(compare("split_then_pin", ["seed2014", "linux6_1"], { pages: 4 }));
 * if (!figure.toText().includes("wrong")) throw new Error(figure.toText());
 * ```
 */
export function chart(
  rows: Comparison<SplitThenPinRow> | ExperimentResult,
  options: ChartExperimentOptions = {},
): Figure {
  if (rows instanceof ExperimentResult) return chartExperiment(rows, options);
  const reason = "it must be what compare() or runExperiment() answers";
  const comparison = instanceOf("chart", rows, Comparison<SplitThenPinRow>, reason);
  knownOptions("the chart of a comparison", options, { title: true, subtitle: true });
  const { parameters, xen } = comparison.provenance;
  return splitVerdict(comparison.rows, {
    subtitle: `${parameters["pages"]} grants mapped, page ${parameters["cut"]} unmapped; PV dom0 on ${xen}`,
    ...options,
  });
}

/** What the direct I/O of each design costs with these prices, by layer. */
export function chartCost(
  comparison: Comparison<SplitThenPinRow>,
  prices: PriceList = ASSUMED_CYCLES,
): Figure {
  instanceOf("chart the cost of", comparison, Comparison, COMPARED);
  expectPrices(prices);
  const designs = [...new Set(comparison.rows.map((row) => row.design))];
  const rows = designs.flatMap((design) => {
    const own = comparison.rows.filter((row) => row.design === design && row.verdict !== "crash");
    return priceOf(addCounts(own.map((row) => row.events)), prices).byLayer
      .map(({ layer, amount, unit, source }) => ({ design, layer, amount, unit, source }));
  });
  return costByDesign(rows, {
    title: "What direct I/O on the pages costs",
    per: "one direct I/O on each page that did not crash",
  });
}

/** The rows of a comparison as a text table. */
export function tabulate(comparison: Comparison<SplitThenPinRow>, width = 110): string {
  instanceOf("tabulate", comparison, Comparison, COMPARED);
  return table(comparison.rows, {
    width,
    columns: ["design", "page", "path", "reached", "expected", "verdict"],
  });
}
