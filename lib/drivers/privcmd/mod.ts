/**
 * privcmd: mapping foreign frames without grants.
 *
 * @module
 */

export * from "./mmap_batch.ts";
