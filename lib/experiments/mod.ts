/**
 * Hosts to try things on, and experiments: one question each, rows as answer. Knows nothing of charts.
 * Start with `world.ts`.
 *
 * @module
 */

export * from "./benches/mod.ts";
export * from "./compare.ts";
export * from "./event_tally.ts";
export * from "./experiment.ts";
export * from "./io_outcome.ts";
export * from "./process.ts";
export * from "./split_then_pin.ts";
export * from "./tlb_working_set.ts";
export * from "./world.ts";
