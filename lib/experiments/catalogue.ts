/**
 * All experiments by name: what `deno task experiment` and `deno task sweep` know.
 *
 * @module
 */

import type { Experiment } from "./experiment.ts";
import { flushBatching } from "./flush_batching.ts";
import { grantLife } from "./grant_life.ts";
import { gupPaths } from "./gup_paths.ts";
import { lazyMap } from "./lazy_map.ts";
import { lockPlans } from "./lock_plans.ts";
import { mapOrCopy } from "./map_or_copy.ts";
import { memoryCost } from "./memory_cost.ts";
import { nestedWalk } from "./nested_walk.ts";
import { overrideLocks } from "./override_locks.ts";
import { pvOrPvh } from "./pv_or_pvh.ts";
import { safeUnmap } from "./safe_unmap.ts";
import { splitCost } from "./split_cost.ts";
import { splitVerdicts } from "./split_verdicts.ts";
import { workingSet } from "./working_set.ts";

/** Their names. */
export type ExperimentName =
  | "flush_batching"
  | "grant_life"
  | "gup_paths"
  | "lazy_map"
  | "lock_plans"
  | "map_or_copy"
  | "memory_cost"
  | "nested_walk"
  | "override_locks"
  | "pv_or_pvh"
  | "safe_unmap"
  | "split_cost"
  | "split_then_pin"
  | "tlb_working_set";

/** The experiments, one question each. */
export const EXPERIMENTS: Readonly<Record<ExperimentName, Experiment>> = Object.freeze({
  flush_batching: flushBatching,
  grant_life: grantLife,
  gup_paths: gupPaths,
  lazy_map: lazyMap,
  lock_plans: lockPlans,
  map_or_copy: mapOrCopy,
  memory_cost: memoryCost,
  nested_walk: nestedWalk,
  override_locks: overrideLocks,
  pv_or_pvh: pvOrPvh,
  safe_unmap: safeUnmap,
  split_cost: splitCost,
  split_then_pin: splitVerdicts,
  tlb_working_set: workingSet,
});
