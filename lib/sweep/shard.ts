/**
 * Which part of a sweep this process does: given as `i/n`, or taken from what a cluster's scheduler says.
 *
 * - Slurm's job arrays: SLURM_ARRAY_TASK_ID, with SLURM_ARRAY_TASK_COUNT, _MIN and _STEP;
 * - Kubernetes' indexed jobs: JOB_COMPLETION_INDEX, and the number of completions, which Kubernetes does not hand in, as
 *   JOB_COMPLETIONS from the job file.
 *
 * @module
 */

import { outOfRange, wholeNumber } from "../core/misuse.ts";

/** One of `count` parts, `index` from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** All of it. */
export const WHOLE: Shard = Object.freeze({ index: 0, count: 1 });

const MOST_SHARDS = 100_000;

/** Names of variables that are looked at. */
export const SHARD_VARIABLES = [
  "SLURM_ARRAY_TASK_ID",
  "SLURM_ARRAY_TASK_COUNT",
  "SLURM_ARRAY_TASK_MIN",
  "SLURM_ARRAY_TASK_STEP",
  "JOB_COMPLETION_INDEX",
  "JOB_COMPLETIONS",
] as const;

/**
 * `i/n`, i from 1 to n.
 *
 * @throws {RangeError} for anything else
 *
 * @example
 * ```ts
 * import { parseShard } from "grantlab/sweep";
 * const { index, count } = parseShard("2/8");
 * if (index !== 1 || count !== 8) throw new Error();
 * ```
 */
export function parseShard(text: string): Shard {
  const [, i, n] = /^(\d+)\/(\d+)$/.exec(text.trim()) ?? [];
  const [part, count] = [Number(i), Number(n)];
  if (i !== undefined && part >= 1 && part <= count && count <= MOST_SHARDS) {
    return { index: part - 1, count };
  }
  throw outOfRange("do the shard", text, `it must be i/n, i from 1 to n, n up to ${MOST_SHARDS}`);
}

/**
 * The shard that a scheduler's variables name; all of it if there are none.
 *
 * @throws {RangeError} if the variables do not make sense together
 */
export function shardFrom(variables: Readonly<Record<string, string | undefined>>): Shard {
  const number = (name: string, fallback?: number) => {
    const text = variables[name];
    if (text === undefined && fallback !== undefined) return fallback;
    const value = /^\d+$/.test(text ?? "") ? Number(text) : NaN;
    if (Number.isSafeInteger(value)) return value;
    throw outOfRange(`take the shard from ${name} =`, text, "it must be a whole number from 0");
  };
  if (variables["SLURM_ARRAY_TASK_ID"] !== undefined) {
    const first = number("SLURM_ARRAY_TASK_MIN", 0);
    const step = number("SLURM_ARRAY_TASK_STEP", 1) || 1;
    return checked((number("SLURM_ARRAY_TASK_ID") - first) / step, number("SLURM_ARRAY_TASK_COUNT"));
  }
  if (variables["JOB_COMPLETION_INDEX"] !== undefined) {
    return checked(number("JOB_COMPLETION_INDEX"), number("JOB_COMPLETIONS"));
  }
  return WHOLE;
}

function checked(index: number, count: number): Shard {
  wholeNumber("share a sweep between tasks, of number", count, 1, MOST_SHARDS);
  return { index: wholeNumber("do shard", index, 0, count - 1), count };
}
