/**
 * Which of an experiment's rows a chart shows, and along which columns. The experiment has a wish; who chose values of an
 * axis wants to see that axis. What is left over is held at one value, so that every place of the chart has one row.
 *
 * @module
 */

import { lookUp } from "../core/nearest.ts";
import { addCounts } from "../trace/add_counts.ts";
import type { AxisValue, Point } from "./axis.ts";
import type { ExperimentResult, ExperimentRow } from "./experiment.ts";

/** More lines than these cannot be told apart. */
const MOST_LINES = 12;

/** What the caller of a chart asks for. */
export interface DrawnWishes {
  readonly where?: Point;
  readonly x?: string;
  readonly series?: string;
}

/** Rows and columns of a chart. */
export interface DrawnRows {
  /** One for each place: rows that differ only in further columns (the steps of a life) are added up. */
  readonly rows: readonly ExperimentRow[];
  /** Column on the horizontal axis. */
  readonly x: string;
  /** Columns whose values together name a line. */
  readonly series: readonly string[];
  /** Bars by layer become lines where their place was taken by an axis of numbers. */
  readonly kind: "layers" | "lines" | "peak";
  /** Does the title that the experiment wishes for say the truth about these rows? */
  readonly isAsWished: boolean;
}

/**
 * The rows of a chart.
 *
 * @throws {RangeError} for a column that there is not, or if no row has the values of `where`
 *
 * @example
 * ```ts
 * import { drawnRows, EXPERIMENTS, runExperiment } from "grantlab/experiments";
 * const result = runExperiment(EXPERIMENTS.map_or_copy, { pages: [2, 4], cpus: 1 });
 * const { rows, x, series } = drawnRows(result);
 * if (x !== "pages" || series.join() !== "way" || rows.length !== 6) throw new Error(x);
 * if (rows.some(({ at }) => at.bytes !== 4096)) throw new Error("bytes");
 * ```
 */
export function drawnRows(result: ExperimentResult, wishes: DrawnWishes = {}): DrawnRows {
  const { figure } = result.experiment;
  const columns = new Columns(result, wishes.where ?? {});
  for (const name of [wishes.x, wishes.series]) if (name !== undefined) columns.expect(name);
  const wishedSeries = wishes.series ?? figure.series;
  const x = wishes.x ?? columns.bestX(wishedSeries);
  const series = wishedSeries === undefined || wishedSeries === x ? [] : [wishedSeries];
  let lines = series.reduce((product, name) => product * columns.values(name).size, 1);
  const held: Record<string, AxisValue> = {};
  for (const name of columns.axes()) {
    const values = columns.values(name);
    if (name === x || series.includes(name) || values.size < 2) continue;
    const wished = figure.where?.[name];
    const isOpen = columns.isChosen(name) || !columns.isNumeric(name) && wished === undefined;
    if (isOpen && lines * values.size <= MOST_LINES) {
      series.push(name);
      lines *= values.size;
    } else held[name] = wished !== undefined && values.has(wished) ? wished : [...values].at(-1)!;
  }
  const rows = addUp(columns.rows.filter((row) => hasAll(row, held)), columns.axes(), [x, ...series]);
  const isOwn = x === figure.x && series.join() === [figure.series ?? []].flat().join();
  const isBars = figure.kind === "layers" && (wishes.x !== undefined || x === figure.x);
  return {
    rows,
    x,
    series,
    kind: isBars ? "layers" : figure.kind === "peak" ? "peak" : "lines",
    isAsWished: isOwn && rows.every((row) => hasAll(row, figure.where ?? {})),
  };
}

const hasAll = ({ at }: ExperimentRow, values: Point) =>
  Object.entries(values).every(([name, value]) => at[name] === value);

/** The columns of some rows. */
class Columns {
  readonly rows: readonly ExperimentRow[];

  constructor(private readonly result: ExperimentResult, where: Point) {
    this.rows = result.where(where).rows;
    if (this.rows.length > 0) return;
    throw new RangeError(`Cannot draw ${result.experiment.name}: no row has the values wished for`);
  }

  expect(name: string): void {
    lookUp("column", this.rows[0]!.at, name);
  }

  axes(): string[] {
    return Object.keys(this.result.experiment.axes);
  }

  values(name: string): Set<AxisValue> {
    return new Set(this.rows.map((row) => row.at[name]!));
  }

  isNumeric(name: string): boolean {
    return [...this.values(name)].every((value) => typeof value === "number");
  }

  /** Has several values, and others than are tried when nobody says so? */
  isChosen(name: string): boolean {
    const usual = this.result.experiment.axes[name]?.values;
    const values = this.values(name);
    return usual !== undefined && values.size > 1 &&
      (values.size !== usual.length || usual.some((value) => !values.has(value)));
  }

  /** The axis that the caller chose numbers of, or the experiment's own; if that has one value only, one that has more. */
  bestX(series: string | undefined): string {
    const { x, kind } = this.result.experiment.figure;
    if (this.isChosen(x) && this.isNumeric(x)) return x;
    const numbers = this.axes()
      .filter((name) => name !== series && this.values(name).size > 1 && this.isNumeric(name))
      .sort((a, b) => this.values(b).size - this.values(a).size);
    const chosen = numbers.find((name) => this.isChosen(name));
    if (chosen !== undefined || kind === "layers" || this.values(x).size > 1) return chosen ?? x;
    return numbers[0] ?? x;
  }
}

/** One row for each place of a chart. */
function addUp(
  rows: readonly ExperimentRow[],
  axes: readonly string[],
  drawn: readonly string[],
): ExperimentRow[] {
  const places = Map.groupBy(rows, ({ at }) => drawn.map((name) => at[name]).join("\n"));
  return [...places.values()].map((own) => {
    const [first] = own;
    if (own.length === 1) return first!;
    const kept = Object.entries(first!.at).filter(([name]) => axes.includes(name) || drawn.includes(name));
    const amounts: Record<string, number> = {};
    for (const row of own) {
      for (const [name, amount] of Object.entries(row.amounts)) amounts[name] = (amounts[name] ?? 0) + amount;
    }
    return { at: Object.fromEntries(kept), amounts, events: addCounts(own.map(({ events }) => events)) };
  });
}
