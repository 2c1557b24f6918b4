/**
 * Experiments over many points: on all cores of a machine, resumed after a kill, shared between machines, as CSV, JSON
 * lines or Parquet. Start with `sweep.ts`; how results are kept is `results_folder.ts`.
 *
 * @module
 */

export * from "./export_rows.ts";
export * from "./point_key.ts";
export * from "./progress_bar.ts";
export * from "./results_folder.ts";
export * from "./shard.ts";
export * from "./sweep.ts";
