/**
 * Points run on several workers. Each worker has two tasks in hand, so that it never waits for the next; a task is as
 * many points as take about a twentieth of a second, so that little is lost by a kill and little is said between threads.
 *
 * @module
 */

import type { Point } from "../experiments/axis.ts";

/** A run to be made. */
export interface KeyedPoint {
  readonly key: string;
  readonly point: Point;
}

/** What a worker is sent. */
export interface Task {
  readonly experiment: string;
  readonly points: readonly KeyedPoint[];
}

/** What it answers: lines to be appended, or why it could not. */
export type TaskAnswer =
  | { readonly lines: string; readonly runs: number; readonly ms: number }
  | { readonly failed: string };

/** How points are run. */
export interface RunPointsOptions {
  readonly experiment: string;
  readonly points: readonly KeyedPoint[];
  readonly workers: number;
  /** Takes the lines of so many runs. */
  readonly onLines: (lines: string, runs: number) => void;
}

const TASK_MS = 50;
const MOST_POINTS_IN_TASK = 256;
const TASKS_IN_HAND = 2;

/**
 * Runs all points; ends when the last line has been handed over.
 *
 * @throws {Error} if the model fails at a point; lines of other points may have been handed over
 */
export async function runPoints({ experiment, points, workers, onLines }: RunPointsOptions): Promise<void> {
  if (points.length === 0) return;
  let next = 0;
  let done = 0;
  let perTask = 1;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const feed = (worker: Worker) => {
    if (next >= points.length) return;
    // Towards the end tasks get smaller, so that all workers end together.
    const share = Math.ceil((points.length - next) / (2 * TASKS_IN_HAND * workers));
    const chosen = points.slice(next, next += Math.min(perTask, share));
    worker.postMessage({ experiment, points: chosen } satisfies Task);
  };
  const crew = Array.from({ length: Math.min(workers, points.length) }, () => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
    worker.onmessage = ({ data }: { readonly data: TaskAnswer }) => {
      if ("failed" in data) {
        reject(new Error(data.failed));
        return;
      }
      perTask = Math.max(
        1,
        Math.min(MOST_POINTS_IN_TASK, Math.round(data.runs * TASK_MS / Math.max(1, data.ms))),
      );
      feed(worker);
      try {
        onLines(data.lines, data.runs);
      } catch (error) {
        reject(error);
      }
      if ((done += data.runs) === points.length) resolve();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    return worker;
  });
  for (let i = 0; i < TASKS_IN_HAND; i++) crew.forEach(feed);
  try {
    await promise;
  } finally {
    for (const worker of crew) worker.terminate();
  }
}
