/**
 * Real data in: what the system under study says of itself, made into objects of the model. Nothing here reads a
 * file: the session and scripts do (`readMaps`). Start with `proc_maps.ts`, `strace.ts` for calls, or `blkparse.ts` for I/O.
 *
 * @module
 */

export * from "./blkparse.ts";
export * from "./fio_iolog.ts";
export * from "./cost_rows.ts";
export * from "./grant_dump.ts";
export * from "./measurements.ts";
export * from "./pagemap.ts";
export * from "./proc_maps.ts";
export * from "./smaps.ts";
export * from "./strace.ts";
