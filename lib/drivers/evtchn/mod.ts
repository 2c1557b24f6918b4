/**
 * Event channels for programs.
 *
 * @module
 */

export * from "./open.ts";
