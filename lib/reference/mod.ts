/**
 * The specification in miniature, and the judge who uses it. Knows nothing of the detailed model.
 * Start with `address_space.ts`.
 *
 * @module
 */

export * from "./address_space.ts";
export * from "./disk.ts";
export * from "./grants.ts";
export * from "./native_memory.ts";
export * from "./oracle.ts";
