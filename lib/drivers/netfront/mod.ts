/**
 * The network front end of a guest.
 *
 * @module
 */

export * from "./netfront.ts";
