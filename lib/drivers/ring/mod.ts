/**
 * Rings shared by a front end and a back end. Start with `shared_ring.ts`.
 *
 * @module
 */

export * from "./back_ring.ts";
export * from "./front_ring.ts";
export * from "./shared_ring.ts";
