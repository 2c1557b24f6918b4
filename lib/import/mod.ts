/**
 * Real data in: what the system under study says of itself, made into objects of the model. Nothing here reads a
 * file: the session and scripts do. Start with `strace.ts`.
 *
 * @module
 */

export * from "./pagemap.ts";
export * from "./smaps.ts";
export * from "./strace.ts";
