/**
 * Prediction: what a run costs in instructions, by layer, from its counts and a price list.
 *
 * @module
 */

import { benchFamily } from "./calibrate.ts";
import { COST_LAYERS, type CostLayer, type InstructionList } from "./instruction_list.ts";
import type { CostCounts, CostKind } from "./operations.ts";
import { type CpuModel, repIterations } from "./rep_iterations.ts";

/** A prediction. */
export interface Prediction {
  /** All instructions; 0 only if nothing happened. */
  readonly total: number;
  /** With every price at its least and at its most. */
  readonly low: number;
  readonly high: number;
  /** By layer; all under `kernel` if the list knows no layers. */
  readonly byLayer: Readonly<Record<CostLayer, number>>;
  /** INVLPG executed. */
  readonly invlpg: number;
  /** Full flushes of a TLB. */
  readonly fullFlushes: number;
  /** The counts it was made from. */
  readonly events: CostCounts;
  /** Events that happened and have no price in the list. */
  readonly unpriced: readonly CostKind[];
  /** Name of the list. */
  readonly list: string;
}

/** How to predict. */
export interface PredictOptions {
  readonly cpu: CpuModel;
  /** Prices fitted without this bench: what a prediction of it is worth that has never seen it. */
  readonly withoutBench?: string;
  /** Prices fitted without rows of this size. */
  readonly withoutSize?: number;
}

/**
 * Predicts instructions.
 *
 * @example
 * ```ts
 * import { LINUX_6_1_INSTRUCTIONS, predict } from "grantlab/cost";
 * const { total, byLayer } = predict({ syscall: 1 }, LINUX_6_1_INSTRUCTIONS, { cpu: { erms: true } });
 * if (!(total > 250 && total < 400) || byLayer.xen !== 0) throw new Error(String(total));
 * ```
 */
export function predict(
  counts: CostCounts,
  list: InstructionList,
  { cpu, withoutBench, withoutSize }: PredictOptions,
): Prediction {
  const iterations = repIterations(counts, cpu, list.kernel);
  const byLayer = { ...iterations };
  let low = iterations.user + iterations.kernel + iterations.xen;
  let high = low;
  let total = low;
  const unpriced: CostKind[] = [];
  const leftOut = withoutBench !== undefined
    ? list.without[benchFamily(withoutBench)]
    : withoutSize !== undefined
    ? list.withoutSize[withoutSize]
    : undefined;
  for (const kind of Object.keys(counts) as CostKind[]) {
    const n = counts[kind] ?? 0;
    const price = list.prices[kind];
    if (price === undefined) {
      if (kind in list.unpriced) unpriced.push(kind);
      continue;
    }
    for (const layer of COST_LAYERS) byLayer[layer] += n * price.per[layer];
    low += n * price.low;
    high += n * price.high;
    total += n * (leftOut?.[kind] ?? price.per.user + price.per.kernel + price.per.xen);
  }
  return {
    total,
    low,
    high,
    byLayer,
    invlpg: counts.invlpg ?? 0,
    fullFlushes: (counts.tlb_flush_full ?? 0) + (counts.cr3_write ?? 0),
    events: counts,
    unpriced,
    list: list.name,
  };
}
