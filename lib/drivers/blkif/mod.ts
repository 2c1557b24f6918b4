/**
 * The block interface between front end and back end.
 *
 * @module
 */

export * from "./blkif.ts";
