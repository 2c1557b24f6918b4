/**
 * Replaying golden data: recorded behaviour of real systems, run through the model and compared.
 * Start with `format.ts`, the contract; `formats.ts` lists what is recognised.
 *
 * @module
 */

export * from "./diff/diff.ts";
export * from "./diff/release_diff.ts";
export type { Rule } from "./diff/rules.ts";
export type { Script, Seen } from "./diff/script.ts";
export * from "./fields.ts";
export * from "./format.ts";
export * from "./formats.ts";
export * from "./hypercalls/mod.ts";
export * from "./machine.ts";
export { type PageTableImage, readImage } from "./page_table_image.ts";
export * from "./read.ts";
export * from "./replay.ts";
export * from "./report.ts";
