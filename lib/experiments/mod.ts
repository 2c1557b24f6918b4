/**
 * Hosts to try things on, and experiments: one question each, rows as answer. Knows nothing of charts.
 * Start with `world.ts`.
 *
 * @module
 */

export * from "./axis.ts";
export * from "./blk_device.ts";
export * from "./block_load.ts";
export * from "./catalogue.ts";
export * from "./benches/mod.ts";
export * from "./compare.ts";
export * from "./comparison.ts";
export * from "./copy_cache.ts";
export * from "./event_tally.ts";
export * from "./drawn_rows.ts";
export * from "./experiment.ts";
export * from "./explain.ts";
export * from "./flush_batching.ts";
export * from "./grant_host.ts";
export * from "./grant_life.ts";
export * from "./guest.ts";
export * from "./gup_paths.ts";
export * from "./hostile_blkfront.ts";
export * from "./io_outcome.ts";
export * from "./lazy_map.ts";
export * from "./lock_plans.ts";
export * from "./map_or_copy.ts";
export * from "./memory_cost.ts";
export * from "./nested_walk.ts";
export * from "./net_device.ts";
export * from "./net_run.ts";
export * from "./override_locks.ts";
export * from "./page_strip.ts";
export * from "./persistence_crossover.ts";
export * from "./priced_rows.ts";
export * from "./process.ts";
export * from "./pv_or_pvh.ts";
export * from "./release_costs.ts";
export * from "./run_block_load.ts";
export * from "./safe_unmap.ts";
export * from "./shootdown_lanes.ts";
export * from "./span_costs.ts";
export * from "./split_cost.ts";
export * from "./split_then_pin.ts";
export * from "./split_verdicts.ts";
export * from "./storage_scaling.ts";
export * from "./tlb_working_set.ts";
export * from "./world.ts";
export * from "./working_set.ts";
