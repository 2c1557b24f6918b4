/**
 * The drivers between Linux and the grants, and the users of what they map. Knows nothing of costs or charts.
 * Start with `gntdev/`.
 *
 * @module
 */

export * from "./direct_io.ts";
export * from "./gntdev/mod.ts";
export * from "./ram_disk.ts";
