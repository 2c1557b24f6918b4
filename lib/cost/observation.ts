/**
 * Recorded instruction counts beside what the model counts for them.
 *
 * @module
 */

import type { ByLayer, CostLayer } from "./instruction_list.ts";
import type { CostCounts } from "./operations.ts";
import { type CpuModel, repIterations } from "./rep_iterations.ts";

/** One recorded row with what the model counts for it. */
export interface Observation {
  readonly bench: string;
  /** Pages, grants, bytes: what the bench was run with. */
  readonly n: number;
  readonly counts: CostCounts;
  readonly cpu: CpuModel;
  /** Release of the kernel. */
  readonly kernel: string;
  /** All instructions. */
  readonly total: number;
  /** By layer, if the recording says. Rows with and without may be mixed. */
  readonly layers?: ByLayer;
}

/** Instructions that prices must explain: all but the iterations of string instructions. */
export function wholeRow({ total, counts, cpu, kernel: release }: Observation): number {
  const { user, kernel, xen } = repIterations(counts, cpu, release);
  return total - user - kernel - xen;
}

/** The same of one layer. */
export function ownRow({ layers, counts, cpu, kernel }: Observation, layer: CostLayer): number {
  return layers![layer] - repIterations(counts, cpu, kernel)[layer];
}
