/**
 * What runs in each worker: points come in, lines of results go out. The lines are made here, so that the thread that
 * writes them has little to do.
 *
 * @module
 */

import { lookUp } from "../core/nearest.ts";
import { EXPERIMENTS } from "../experiments/catalogue.ts";
import { type Experiment, rowsAt } from "../experiments/experiment.ts";
import type { Task, TaskAnswer } from "./run_points.ts";
import { lineOf } from "./results_folder.ts";

/** The part of a worker's global scope that is used. */
interface WorkerScope {
  onmessage: ((message: { readonly data: Task }) => void) | null;
  postMessage(answer: TaskAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data: { experiment, points } }) => {
  const start = performance.now();
  const chosen = lookUp<Experiment>("experiment", EXPERIMENTS, experiment);
  let lines = "";
  for (const { key, point } of points) {
    try {
      lines += lineOf({ key, rows: rowsAt(chosen, point) });
    } catch (error) {
      scope.postMessage({ failed: `${experiment} at ${JSON.stringify(point)}: ${(error as Error).message}` });
      return;
    }
  }
  scope.postMessage({ lines, runs: points.length, ms: performance.now() - start });
};
