/**
 * The same processors and locks as in `closed_queues.ts`, one event after the other: what the closed form is checked
 * against. Locks are granted in the order of asking; the only randomness is the seeded length of times.
 *
 * @module
 */

import { wholeNumber } from "../core/misuse.ts";
import { Rng } from "../core/rng.ts";
import { checkDemand, type Demand, MOST_CPUS } from "./closed_queues.ts";

/** How long the times are: around their mean as the closed form assumes, or always just the mean. */
export type TimeShape = "exponential" | "fixed";

/** A run. */
export interface Simulation {
  readonly cpus: number;
  /** Operations that are counted, after a tenth as many to warm up. */
  readonly operations: number;
  readonly shape?: TimeShape;
  readonly seed?: number;
}

/**
 * Operations per unit of time, all processors together.
 *
 * @example
 * ```ts
 * import { closedQueues, simulateQueues } from "grantlab/cost";
 * const demand = { think: 90, locks: [10] };
 * const counted = simulateQueues(demand, { cpus: 8, operations: 20_000 });
 * const computed = closedQueues(demand, 8).throughput;
 * if (Math.abs(counted / computed - 1) > 0.05) throw new Error(`${counted} ${computed}`);
 * ```
 */
export function simulateQueues(demand: Demand, run: Simulation): number {
  checkDemand(demand);
  const { cpus, operations, shape = "exponential", seed = 1 } = run;
  wholeNumber("queue processors, of number", cpus, 1, MOST_CPUS);
  wholeNumber("simulate operations, of number", operations, 1, 10_000_000);
  const rng = new Rng(seed);
  const length = (mean: number) => shape === "fixed" ? mean : -mean * Math.log(1 - rng.next() / 2 ** 32);
  const { think, locks } = demand;
  /** When each processor is done with what it does; at which lock it is, -1 while it thinks. */
  const until = Float64Array.from({ length: cpus }, () => length(think));
  const at = new Int32Array(cpus).fill(-1);
  const freeAt = new Float64Array(locks.length);
  const warmUp = Math.ceil(operations / 10);
  let done = 0;
  let from = 0;
  for (let now = 0;;) {
    let cpu = 0;
    for (let i = 1; i < cpus; i++) if (until[i]! < until[cpu]!) cpu = i;
    now = until[cpu]!;
    const next = at[cpu]! + 1;
    if (next < locks.length) {
      // Who asks first gets it first: processors are looked at in the order of time.
      at[cpu] = next;
      until[cpu] = freeAt[next] = Math.max(now, freeAt[next]!) + length(locks[next]!);
      continue;
    }
    at[cpu] = -1;
    until[cpu] = now + length(think);
    done++;
    if (done === warmUp) from = now;
    if (done === warmUp + operations) return operations / (now - from);
  }
}
