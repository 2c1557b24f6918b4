/**
 * What an experiment is: one question, axes, and a run for each point of them that answers tidy rows of *event
 * counts*. Prices come later and elsewhere (`priced_rows.ts`), so rows are priced again without a run of the model.
 * Experiments know nothing of charts; the record only says which columns a chart should show.
 *
 * Experiments that end in a verdict per page have a form of their own, `comparison.ts`.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { drawing, tableBlock, type View } from "../core/view.ts";
import { wrongType } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { VERSION } from "../core/version.ts";
import type { EventCounts } from "../trace/trace.ts";
import { type Axes, type AxisWishes, type Point, type PointOf, pointsOf, valuesOf } from "./axis.ts";

/** What one run observed: further columns (a phase, a path), plain amounts (bytes, ms), and what was counted. */
export interface Observation {
  readonly columns?: Point;
  readonly amounts?: Readonly<Record<string, number>>;
  readonly events: EventCounts;
}

/** Which figure answers the question. Column names are those of axes, further columns or amounts. */
export interface FigureWish {
  /** `layers`: bars by layer; `lines`: an amount against `x`; `peak`: throughput against CPUs, the peak marked. */
  readonly kind: "layers" | "lines" | "peak";
  /** Column on the horizontal axis, or whose values are bars. */
  readonly x: string;
  /** Column whose values are lines, or groups of bars. */
  readonly series?: string;
  /** What is drawn: `cost`, `throughput`, or the name of an amount. Default `cost`. */
  readonly y?: string;
  /** Words for an amount; its name if not given. */
  readonly yTitle?: string;
  /** Column that a cost is divided by: cost *per* page. */
  readonly per?: string;
  /** Rows drawn: only those with these values. */
  readonly where?: Point;
  readonly title: string;
}

/** One question. */
export interface Experiment {
  readonly name: string;
  /** As a user would ask it. */
  readonly question: string;
  readonly axes: Axes;
  /** Runs the model at one point; a fresh host each time. */
  run(point: Point): readonly Observation[];
  readonly figure: FigureWish;
}

/** An experiment whose `run` knows the types of its own axes. */
export function experiment<A extends Axes>(
  parts: Omit<Experiment, "axes" | "run"> & {
    readonly axes: A;
    run(point: PointOf<A>): readonly Observation[];
  },
): Experiment {
  return Object.freeze({ ...parts, run: (point: Point) => parts.run(point as PointOf<A>) });
}

/** One row: where it was observed, and what. */
export interface ExperimentRow {
  /** Axes and further columns. */
  readonly at: Point;
  readonly amounts: Readonly<Record<string, number>>;
  readonly events: EventCounts;
}

/** Rows of one point. */
export function rowsAt(chosen: Experiment, point: Point): ExperimentRow[] {
  return chosen.run(point).map(({ columns = {}, amounts = {}, events }) => ({
    at: { ...point, ...columns },
    amounts,
    events,
  }));
}

/** Rows as flat records: axes, columns, amounts, `events.<kind>`, and where they come from. */
export function tidyRow(name: string, { at, amounts, events }: ExperimentRow): Record<string, unknown> {
  return { experiment: name, ...at, ...amounts, events, version: VERSION };
}

/** What an experiment answered. Prints as a table of its columns. */
export class ExperimentResult extends Shown {
  constructor(readonly experiment: Experiment, readonly rows: readonly ExperimentRow[]) {
    super();
  }

  /** Flat records, for CSV and tables. */
  tidy(): Record<string, unknown>[] {
    return this.rows.map((row) => tidyRow(this.experiment.name, row));
  }

  /** The rows that have these values in these columns. */
  where(at: Point): ExperimentResult {
    const columns = Object.assign({}, ...this.rows.map((row) => row.at));
    if (this.rows.length > 0) { for (const name of Object.keys(at)) lookUp("column", columns, name); }
    const isWanted = (row: ExperimentRow) =>
      Object.entries(at).every(([name, value]) => row.at[name] === value);
    return new ExperimentResult(this.experiment, this.rows.filter(isWanted));
  }

  override toString(): string {
    return `${this.experiment.question} (${this.experiment.name}: ${this.rows.length} rows)`;
  }

  override [viewOf](): View {
    const names = [
      ...new Set(this.rows.flatMap((row) => [...Object.keys(row.at), ...Object.keys(row.amounts)])),
    ];
    const cell = (row: ExperimentRow, name: string) => String(row.at[name] ?? row.amounts[name] ?? "");
    const isNumber = (name: string) => this.rows.every((row) => typeof row.at[name] !== "string");
    const header = names.map((name) => isNumber(name) ? { header: name, right: true } as const : name);
    const rows = this.rows.map((row) => [
      ...names.map((name) => cell(row, name)),
      String(Object.values(row.events).reduce((sum, n) => sum + n, 0)),
    ]);
    return {
      line: this.toString(),
      title: this.experiment.question,
      blocks: [
        tableBlock([...header, { header: "events", right: true }], rows, { limit: 40 }),
        drawing([`  ${this.experiment.name}, grantlab ${VERSION}`]),
      ],
    };
  }
}

/**
 * Runs an experiment at every point of its axes.
 *
 * @param wishes values by axis; axes left out keep theirs
 * @throws {RangeError} for an unknown axis or a value out of range, before anything runs
 *
 * @example
 * ```ts
 * import { EXPERIMENTS, runExperiment } from "grantlab/experiments";
 * const { rows } = runExperiment(EXPERIMENTS.nested_walk, { tables: "ept", levels: 4, page: "4K", nestedPage: "4K" });
 * const { walk_step = 0, nested_step = 0 } = rows[0]!.events;
 * if (walk_step + nested_step !== 24) throw new Error();
 * ```
 */
export function runExperiment(chosen: Experiment, wishes: AxisWishes = {}): ExperimentResult {
  if (typeof chosen?.run !== "function" || typeof chosen.axes !== "object") {
    throw wrongType("run as an experiment", chosen, "it must be one of EXPERIMENTS: EXPERIMENTS.nested_walk");
  }
  const points = pointsOf(valuesOf(chosen.axes, wishes));
  return new ExperimentResult(chosen, points.flatMap((point) => rowsAt(chosen, point)));
}
