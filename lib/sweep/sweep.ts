/**
 * A sweep: an experiment at many points, on all cores, into a folder. What is in the folder is not run again, so a sweep
 * that was killed goes on where it was, and one with more values only runs the new ones.
 *
 * @module
 */

import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { type AxisWishes, pointsOf, valuesOf } from "../experiments/axis.ts";
import { EXPERIMENTS } from "../experiments/catalogue.ts";
import { type Experiment, ExperimentResult } from "../experiments/experiment.ts";
import { modelKey, pointKey } from "./point_key.ts";
import { ResultsFolder } from "./results_folder.ts";
import { runPoints } from "./run_points.ts";
import { type Shard, WHOLE } from "./shard.ts";

/** How far a sweep is. */
export interface SweepProgress {
  /** Points of this shard. */
  readonly points: number;
  /** Of these, found in the folder. */
  readonly found: number;
  /** Run since. */
  readonly ran: number;
}

/** What is swept. */
export interface SweepOptions {
  /** Name of an experiment. */
  readonly experiment: string;
  /** Values by axis. */
  readonly axes?: AxisWishes;
  /** Folder of the results. */
  readonly folder: string;
  /** Threads; default one for each core. */
  readonly workers?: number;
  readonly shard?: Shard;
  /** Told at the start and after each task. */
  readonly onProgress?: (progress: SweepProgress) => void;
}

/** How a sweep ended. */
export interface SweepOutcome extends SweepProgress {
  /** Rows of all points of the sweep that the folder has, in the order of the points. */
  readonly result: ExperimentResult;
  /** Points of the whole sweep that the folder does not have yet: those of other shards. */
  readonly missing: number;
  /** Key of the model's text. */
  readonly model: string;
  readonly folder: ResultsFolder;
}

/** Most points of one sweep. */
export const MOST_POINTS = 10_000_000;
const MOST_WORKERS = 1024;

/**
 * Runs what the folder does not have yet.
 *
 * @throws {RangeError} for an unknown experiment or axis or a value out of range, before anything runs
 * @throws {Error} if the model fails at a point; what ran before is kept
 */
export async function sweep(options: SweepOptions): Promise<SweepOutcome> {
  const { experiment, axes = {}, folder: path, shard = WHOLE, onProgress = () => {} } = options;
  const workers = wholeNumber(
    "sweep with workers, of number",
    options.workers ?? navigator.hardwareConcurrency,
    1,
    MOST_WORKERS,
  );
  const chosen = lookUp<Experiment>("experiment", EXPERIMENTS, experiment);
  const values = valuesOf(chosen.axes, axes);
  const size = Object.values(values).reduce((n, list) => n * list.length, 1);
  if (size > MOST_POINTS) throw outOfRange("sweep points, of number", size, `${MOST_POINTS} is the most`);
  const model = await modelKey();
  const all = pointsOf(values).map((point) => ({ key: pointKey(model, experiment, point), point }));
  const own = all.filter((_, i) => i % shard.count === shard.index);
  const folder = new ResultsFolder(path);
  const before = await folder.read();
  const todo = own.filter(({ key }) => !before.has(key));
  const found = own.length - todo.length;
  let ran = 0;
  const report = () => onProgress({ points: own.length, found, ran });
  report();
  try {
    const onLines = (lines: string, runs: number) => {
      folder.append(lines);
      ran += runs;
      report();
    };
    await runPoints({ experiment, points: todo, workers, onLines });
  } finally {
    folder.close();
  }
  const now = await folder.read();
  const rows = all.flatMap(({ key }) => now.get(key) ?? []);
  const missing = all.filter(({ key }) => !now.has(key)).length;
  return {
    points: own.length,
    found,
    ran,
    missing,
    model,
    folder,
    result: new ExperimentResult(chosen, rows),
  };
}
