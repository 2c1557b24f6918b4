/**
 * What is counted and how. Knows nothing of what an event means to a layer above.
 * Start with `events.ts`, the table.
 *
 * @module
 */

export * from "./add_counts.ts";
export * from "./events.ts";
export * from "./record.ts";
export * from "./trace.ts";
export * from "./unobserved.ts";
