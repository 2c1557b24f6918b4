/**
 * Counts, prices and a number of processors in; throughput out. Pricing again, with other prices or more processors,
 * runs no model.
 *
 * Every processor does the same operation again and again, on grants of its own, in a process of its own. What they
 * share are the locks of `lock_classes.ts`. A lock held by another processor before costs the transfer of its cache line,
 * with probability (n − 1) / n.
 *
 * Left out: queues elsewhere (memory, devices), processors that differ, fair or unfair hand-over, NUMA distance.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { closedQueues } from "./closed_queues.ts";
import { LINE_TRANSFER, LOCK_CLASSES, type LockClass } from "./lock_classes.ts";
import type { Price, PriceList } from "./price.ts";
import { type CountsByEvent, priceOf } from "./price_of.ts";

/** Operations of all processors together. */
export interface Contended {
  readonly cpus: number;
  /** Operations per million units of the list (cycles, or ns). */
  readonly throughput: number;
  /** With every price at its high end, and at its low end. */
  readonly low: number;
  readonly high: number;
  /** Against one processor alone. */
  readonly speedup: number;
  /** The lock that is taken for the largest share of the time, and that share; null if there is none. */
  readonly busiest: { readonly lock: string; readonly share: number } | null;
  /** Share of a processor's time that it waits. */
  readonly waiting: number;
  /** `operations per million cycles` */
  readonly unit: string;
  readonly assumed: boolean;
}

/** On what an operation runs. */
export interface ContentionOptions {
  readonly cpus: number;
  /** In cycles or ns. */
  readonly prices: PriceList;
  /** Cycles to move a cache line from another processor, if you know better than {@linkcode LINE_TRANSFER}. */
  readonly lineTransfer?: Pick<Price, "per" | "low" | "high">;
}

type End = "amount" | "low" | "high";

const PER_MILLION = 1e6;
const CYCLES_PER_NS = 3;

/**
 * Throughput of an operation with these counts on so many processors.
 *
 * @throws {RangeError} if the list is in instructions: waiting is time
 *
 * @example
 * ```ts
 * import { ASSUMED_CYCLES, contended } from "grantlab/cost";
 * const counts = { syscall: 30, override_lock: 30 };
 * const of = (cpus: number) => contended(counts, { cpus, prices: ASSUMED_CYCLES });
 * if (of(1).speedup !== 1 || of(32).speedup > 6 || of(32).busiest?.lock !== "m2p_override_lock") throw new Error();
 * ```
 */
export function contended(
  counts: CountsByEvent,
  { cpus, prices, lineTransfer }: ContentionOptions,
): Contended {
  if (prices.unit === "instructions") {
    throw outOfRange("compute waiting with prices in", prices.unit, "waiting is time: cycles or ns");
  }
  const at = (end: End, n: number) => closedQueues(demandOf(counts, prices, end, n, lineTransfer), n);
  const now = at("amount", cpus);
  const busiest = now.busy.reduce((best, share, i) => share > (now.busy[best] ?? 0) ? i : best, 0);
  const classes = classesIn(counts);
  return {
    cpus,
    throughput: now.throughput * PER_MILLION,
    low: at("high", cpus).throughput * PER_MILLION,
    high: at("low", cpus).throughput * PER_MILLION,
    speedup: cpus === 1 ? 1 : now.throughput / at("amount", 1).throughput,
    busiest: classes.length === 0 ? null : { lock: classes[busiest]!.name, share: now.busy[busiest]! },
    waiting: now.waiting,
    unit: `operations per million ${prices.unit}`,
    assumed: priceOf(counts, prices).assumed ||
      (cpus > 1 && classes.length > 0 && lineTransfer === undefined),
  };
}

/** What one operation needs of locks and outside of them, on `cpus` processors. */
export function demandOf(
  counts: CountsByEvent,
  prices: PriceList,
  end: End,
  cpus: number,
  lineTransfer: Pick<Price, "per" | "low" | "high"> = LINE_TRANSFER,
): { readonly think: number; readonly locks: readonly number[] } {
  const total = amountOf(counts, prices, end);
  const classes = classesIn(counts);
  const perTransfer = lineTransfer[end === "amount" ? "per" : end] /
    (prices.unit === "ns" ? CYCLES_PER_NS : 1);
  const held = classes.map(({ during }) => {
    const own = Object.fromEntries(during.map((event) => [event, counts[event] ?? 0]));
    return amountOf(own, prices, end);
  });
  const locks = classes.map(({ taken, transfers }, i) =>
    held[i]! + counts[taken]! * transfers * perTransfer * (cpus - 1) / cpus
  );
  return { think: Math.max(0, total - held.reduce((sum, time) => sum + time, 0)), locks };
}

function classesIn(counts: CountsByEvent): readonly LockClass[] {
  return LOCK_CLASSES.filter(({ taken }) => (counts[taken] ?? 0) > 0);
}

function amountOf(counts: CountsByEvent, prices: PriceList, end: End): number {
  const { total, low, high } = priceOf(counts, prices);
  return { amount: total, low, high }[end];
}
