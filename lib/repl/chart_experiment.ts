/**
 * From the rows of a counting experiment to its figure, and the other charts of costs: priced here, without a run of the
 * model.
 *
 * @module
 */

import { callable, instanceOf, outOfRange, wrongType } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { knownOptions } from "../core/options.ts";
import { ASSUMED_CYCLES } from "../cost/assumed_cycles.ts";
import type { PriceList } from "../cost/price.ts";
import type { Axes, Point } from "../experiments/axis.ts";
import { drawnRows } from "../experiments/drawn_rows.ts";
import { ExperimentResult, type ExperimentRow } from "../experiments/experiment.ts";
import { pageStrip } from "../experiments/page_strip.ts";
import { pricedByLayer, pricedRows, throughputRows } from "../experiments/priced_rows.ts";
import { Process } from "../experiments/process.ts";
import { type ReleaseCostOptions, releaseCosts } from "../experiments/release_costs.ts";
import { shootdownLanes, type ShootdownOptions } from "../experiments/shootdown_lanes.ts";
import { recordOf, spanCosts } from "../experiments/span_costs.ts";
import { addressSpace } from "../plots/address_space.ts";
import { beforeAfter } from "../plots/before_after.ts";
import { costAgainst } from "../plots/cost_against.ts";
import { costChanges } from "../plots/cost_changes.ts";
import { costByLayer } from "../plots/cost_by_layer.ts";
import type { ChartOptions, Figure } from "../plots/figure.ts";
import { flameGraph } from "../plots/flame_graph.ts";
import { linesWithBands } from "../plots/lines_with_bands.ts";
import { peakAndFall } from "../plots/peak_and_fall.ts";
import { shootdownTimeline } from "../plots/shootdown_timeline.ts";

/** How rows are drawn; what is left out is as the experiment wishes. */
export interface ChartExperimentOptions extends ChartOptions {
  readonly prices?: PriceList;
  /** Rows drawn: only those with these values. */
  readonly where?: Point;
  /** Column on the horizontal axis. */
  readonly x?: string;
  /** Column whose values are lines or bars. */
  readonly series?: string;
}

const KNOWN: Readonly<Record<keyof ChartExperimentOptions, true>> = {
  title: true,
  subtitle: true,
  prices: true,
  where: true,
  x: true,
  series: true,
};

/** Checks what was typed for a chart of rows. */
function check(result: ExperimentResult, options: ChartExperimentOptions): void {
  instanceOf("chart", result, ExperimentResult, "it must be what runExperiment() answers");
  knownOptions("a chart of an experiment", options, KNOWN);
  if (options.prices !== undefined) expectPrices(options.prices);
}

function expectColumn({ rows }: ExperimentResult, column: string): void {
  lookUp("column", Object.assign({}, ...rows.map(({ at }) => at)), column);
}

/** Refuses what is no price list. @throws {TypeError} */
export function expectPrices(prices: PriceList): void {
  if (typeof prices?.prices === "object" && typeof prices.unit === "string") return;
  throw wrongType(
    "price with",
    prices,
    "it must be a price list: ASSUMED_CYCLES, or what parsePriceList() answers",
  );
}

const A_PROCESS = 'it must be a process: w.process("qemu")';

/**
 * The figure of an experiment's rows: against the axis that values were chosen of, or as the experiment wishes. Further axes
 * with values of the caller's choice make more lines; what is left over is held at one value, which the subtitle says.
 *
 * @throws {RangeError} if no row has the values wished for
 *
 * @example
 * ```ts
 * import { chartExperiment, EXPERIMENTS, runExperiment } from "grantlab";
 * const result = runExperiment(EXPERIMENTS.flush_batching, { cpus: [1, 6, 24], policy: ["per_batch", "if_accessed"] });
 * const text = chartExperiment(result).toText();
 * if (!text.includes("peak") || !text.includes("assumed prices")) throw new Error(text);
 * ```
 */
export function chartExperiment(result: ExperimentResult, options: ChartExperimentOptions = {}): Figure {
  check(result, options);
  const wish = result.experiment.figure;
  const { prices = ASSUMED_CYCLES } = options;
  const meaningOf = (column: string) => result.experiment.axes[column]?.meaning ?? column;
  const { rows, x, series, kind, isAsWished } = drawnRows(result, options);
  const words = {
    title: options.title ?? (isAsWished ? wish.title : result.experiment.question),
    subtitle: options.subtitle ?? [
      fixedValues(result.experiment.axes, rows, [x, ...series]),
      series.length < 2
        ? ""
        : `${kind === "layers" ? "bars" : "lines"}: ${series.map(meaningOf).join(" · ")}`,
    ].filter((part) => part !== "").join("; "),
  };
  const nameOf = (at: Point) => series.map((name) => at[name]).join(" · ") || result.experiment.name;
  if (kind === "peak" && x === "cpus") {
    const points = throughputRows(rows, prices).map((row) => ({ ...row, series: nameOf(row.at) }));
    return peakAndFall(points, words);
  }
  if (kind === "layers") {
    const bars = pricedByLayer(rows, prices).map((row) => ({
      ...row,
      group: String(row.at[x]),
      bar: series.length === 0 ? "" : nameOf(row.at),
    }));
    return costByLayer(bars, words);
  }
  const xTitle = meaningOf(x);
  const xLog = isWide(rows.map((row) => row.at[x]));
  if (kind === "peak") {
    const points = throughputRows(rows, prices).map(({ at, throughput, ...row }) => ({
      ...row,
      series: nameOf(at),
      x: at[x]!,
      amount: throughput,
    }));
    const note = points.some((row) => row.assumed) ? " (assumed prices)" : "";
    return linesWithBands(points, { ...words, xTitle, yTitle: `${points[0]!.unit}${note}`, xLog });
  }
  const isAmount = wish.y !== undefined && wish.y !== "cost";
  if (isAmount) {
    const points = rows.map((row) => ({
      series: nameOf(row.at),
      x: row.at[x]!,
      amount: row.amounts[wish.y!] ?? 0,
    }));
    return linesWithBands(points, { ...words, xTitle, yTitle: wish.yTitle ?? wish.y!, xLog });
  }
  const points = pricedRows(rows, prices).map((row) => {
    const per = wish.per === undefined ? 1 : Number(row.at[wish.per]);
    const source = `${row.assumed ? "assumed" : "measured"}: ${row.prices}`;
    const [amount, low, high] = [row.amount / per, row.low / per, row.high / per];
    return { series: nameOf(row.at), x: row.at[x]!, amount, low, high, unit: row.unit, source };
  });
  return costAgainst(points, {
    ...words,
    xTitle,
    xLog,
    ...(wish.per === undefined ? {} : { per: wish.per.replace(/s$/, "") }),
  });
}

/** Two rows of an experiment, event by event: the events whose counts differ most come first. */
export function chartChange(
  result: ExperimentResult,
  column: string,
  beforeAndAfter: readonly [string, string],
  options: ChartExperimentOptions = {},
): Figure {
  check(result, options);
  expectColumn(result, column);
  if (!Array.isArray(beforeAndAfter) || beforeAndAfter.length !== 2) {
    throw wrongType(
      `compare rows by ${column}:`,
      beforeAndAfter,
      "there must be two values, [before, after]",
    );
  }
  const [before, after] = beforeAndAfter;
  const { prices = ASSUMED_CYCLES } = options;
  const rows = chosenRows(result, options.where, [column]);
  const [one, two] = [before, after].map((name) => rows.filter((row) => row.at[column] === name));
  for (const [name, found] of [[before, one], [after, two]] as const) {
    if (found!.length === 0) throw outOfRange(`compare with ${column}`, name, "no row has that value");
  }
  const step = Object.keys(rows[0]!.at).find((name) =>
    name !== column && new Set(rows.map((row) => row.at[name])).size > 1
  );
  const whats = step === undefined ? [column] : [...new Set(rows.map((row) => String(row.at[step])))];
  const priced = (list: readonly ExperimentRow[], what: string) => {
    const own = pricedRows(list.filter((row) => step === undefined || String(row.at[step]) === what), prices);
    return { amount: own.reduce((sum, row) => sum + row.amount, 0), assumed: own.some((row) => row.assumed) };
  };
  const changes = whats.map((what) => {
    const [from, to] = [priced(one!, what), priced(two!, what)];
    const source = `${from.assumed || to.assumed ? "assumed" : "measured"}: ${prices.name}`;
    return { what, before: from.amount, after: to.amount, unit: prices.unit, source };
  });
  const subtitle = options.subtitle ?? fixedValues(result.experiment.axes, rows, [column, step]);
  return beforeAfter(changes, { ...options, before, after, subtitle });
}

/** A call's spans as a flame graph; `body` runs once, on the host of this process. */
export function chartCall(
  process: Process,
  title: string,
  body: () => void,
  prices: PriceList = ASSUMED_CYCLES,
): Figure {
  instanceOf("chart a call of", process, Process, A_PROCESS);
  callable("chart the call", body);
  expectPrices(prices);
  return flameGraph(spanCosts(title, recordOf(process.world.trace, body), prices), { title });
}

/**
 * What each recorded release made cheaper or dearer, event by event: {@linkcode releaseCosts} as a chart.
 *
 * @throws {TypeError} or {RangeError} as {@linkcode releaseCosts} does
 *
 * @example
 * ```ts
 * import { chartReleases } from "grantlab";
 * const text = chartReleases({ benches: [["mmap_anon", 1]] }).toText(100);
 * if (!text.includes("vma_tree_prealloc")) throw new Error(text);
 * ```
 */
export function chartReleases(options: ReleaseCostOptions, words: ChartOptions = {}): Figure {
  knownOptions("a chart of releases", words, { title: true, subtitle: true });
  return costChanges(releaseCosts(options), words);
}

/** A shoot-down that CPU 0 starts, on the time line. */
export function chartShootdown(options: ShootdownOptions = {}, prices: PriceList = ASSUMED_CYCLES): Figure {
  const { cpus = 4, pages = 1, policy = "eager" } = options;
  return shootdownTimeline(shootdownLanes(options, prices), {
    title: `A TLB shoot-down of ${pages} ${pages === 1 ? "page" : "pages"} on ${cpus} CPUs`,
    subtitle: `${policy}; stale: still translates with the old entry`,
  });
}

/** A range of a process before and after `body`, page by page. */
export function chartSplit(
  process: Process,
  range: { readonly start: number; readonly pages: number },
  body: () => void,
): Figure {
  instanceOf("chart a range of", process, Process, A_PROCESS);
  knownOptions("the range of a chart", range, { start: true, pages: true });
  callable("chart what happens in", body);
  const before = pageStrip(process, "before", range);
  body();
  return addressSpace([...before, ...pageStrip(process, "after", range)], {
    title: "The range before and after",
    subtitle: "a letter for each VMA, and the frame behind each page",
  });
}

/** Rows of a choice; the experiment's own wish counts for columns that neither are drawn nor were left open by the caller. */
function chosenRows(
  result: ExperimentResult,
  where: Point | undefined,
  drawn: readonly (string | undefined)[],
): readonly ExperimentRow[] {
  const { where: wish = {} } = result.experiment.figure;
  const has = (name: string, value: unknown) => result.rows.some((row) => row.at[name] === value);
  const own = Object.fromEntries(
    Object.entries(wish).filter(([name, value]) => !drawn.includes(name) && has(name, value)),
  );
  const { rows } = result.where({ ...own, ...where });
  if (rows.length === 0) {
    throw new RangeError(`Cannot draw ${result.experiment.name}: no row has the values wished for`);
  }
  return rows;
}

/** Columns of one value, in words; what is drawn is left out. */
function fixedValues(
  axes: Axes,
  rows: readonly ExperimentRow[],
  drawn: readonly (string | undefined)[],
): string {
  const names = Object.keys(rows[0]?.at ?? {}).filter((name) => !drawn.includes(name));
  return names.flatMap((name) => {
    const values = new Set(rows.map((row) => row.at[name]));
    return values.size === 1 ? [`${axes[name]?.meaning ?? name}: ${[...values][0]}`] : [];
  }).join("; ");
}

/** Numbers over more than a decade, none of them 0. */
function isWide(values: readonly unknown[]): boolean {
  const numbers = values.filter((value) => typeof value === "number");
  return numbers.length === values.length && Math.min(...numbers) > 0 &&
    Math.max(...numbers) >= 20 * Math.min(...numbers);
}
