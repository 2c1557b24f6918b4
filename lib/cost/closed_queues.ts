/**
 * N processors that work, queue for locks, work again: throughput in closed form. Each processor is one customer of a
 * closed network; work outside of locks is thinking, each lock is a station that serves one at a time, in order.
 *
 * Exact for exponential times (mean value analysis: Reiser and Lavenberg, "Mean-value analysis of closed multichain
 * queuing networks", Journal of the ACM 27, 1980); with one lock it is the machine repairman's formula. Times that vary less queue less, so the
 * closed form errs on the side of contention: against times that do not vary at all by up to three tenths, where work and
 * locks are just in balance (`simulate_queues.ts`).
 *
 * @module
 */

import { outOfRange, wholeNumber } from "../core/misuse.ts";

/** What one operation needs. Times in any one unit. */
export interface Demand {
  /** Time outside of every lock. */
  readonly think: number;
  /** Time for which it occupies each lock, all visits together. */
  readonly locks: readonly number[];
}

/** What comes out. */
export interface QueueAnswer {
  /** Operations per unit of time, all processors together. */
  readonly throughput: number;
  /** Share of the time for which each lock is taken. */
  readonly busy: readonly number[];
  /** Share of a processor's time that it waits for locks. */
  readonly waiting: number;
}

/** Most processors that are asked for. */
export const MOST_CPUS = 4096;

/**
 * Throughput of `cpus` processors.
 *
 * @throws {RangeError} if a time is negative or not finite, or there is none at all
 *
 * @example
 * ```ts
 * import { closedQueues } from "grantlab/cost";
 * const alone = closedQueues({ think: 90, locks: [10] }, 1);
 * const many = closedQueues({ think: 90, locks: [10] }, 64);
 * if (alone.throughput !== 1 / 100) throw new Error(); // nobody waits
 * if (many.throughput > 1 / 10 || many.throughput < 0.999 / 10) throw new Error(); // the lock is the limit
 * ```
 */
export function closedQueues({ think, locks }: Demand, cpus: number): QueueAnswer {
  checkDemand({ think, locks });
  wholeNumber("queue processors, of number", cpus, 1, MOST_CPUS);
  const queue = new Float64Array(locks.length);
  const stay = new Float64Array(locks.length);
  let throughput = 0;
  for (let n = 1; n <= cpus; n++) {
    let cycle = think;
    for (let i = 0; i < locks.length; i++) cycle += stay[i] = locks[i]! * (1 + queue[i]!);
    throughput = n / cycle;
    for (let i = 0; i < locks.length; i++) queue[i] = throughput * stay[i]!;
  }
  const served = locks.reduce((sum, time) => sum + time, 0);
  return {
    throughput,
    busy: locks.map((time) => throughput * time),
    waiting: Math.max(0, 1 - throughput * (think + served) / cpus),
  };
}

/** Refuses what is no demand. */
export function checkDemand({ think, locks }: Demand): void {
  for (const time of [think, ...locks]) {
    if (!(Number.isFinite(time) && time >= 0)) {
      throw outOfRange("queue for a time of", time, "it must be a finite number from 0");
    }
  }
  if (think + locks.reduce((sum, time) => sum + time, 0) === 0) {
    throw outOfRange("queue for a time of", 0, "an operation must take some time");
  }
}
