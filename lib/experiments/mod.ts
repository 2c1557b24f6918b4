/**
 * Hosts to try things on, and experiments: one question each, rows as answer. Knows nothing of charts.
 * Start with `world.ts`.
 *
 * @module
 */

export * from "./blk_device.ts";
export * from "./block_load.ts";
export * from "./compare.ts";
export * from "./copy_cache.ts";
export * from "./event_tally.ts";
export * from "./experiment.ts";
export * from "./guest.ts";
export * from "./hostile_blkfront.ts";
export * from "./io_outcome.ts";
export * from "./net_device.ts";
export * from "./persistence_crossover.ts";
export * from "./process.ts";
export * from "./split_then_pin.ts";
export * from "./storage_scaling.ts";
export * from "./tlb_working_set.ts";
export * from "./world.ts";
