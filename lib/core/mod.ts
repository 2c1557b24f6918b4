/**
 * Words, numbers and errors that every layer shares. Knows nothing of paging, Linux or Xen.
 * Start with `frames.ts`, the glossary.
 *
 * @module
 */

export * from "./budget.ts";
export * from "./columns.ts";
export * from "./crash.ts";
export * from "./errno.ts";
export * from "./frames.ts";
export * from "./geometry.ts";
export * from "./int_map.ts";
export * from "./misuse.ts";
export * from "./nearest.ts";
export * from "./nominal.ts";
export * from "./options.ts";
export * from "./rng.ts";
export * from "./show.ts";
export * from "./shown.ts";
export * from "./text_columns.ts";
export * from "./text_fit.ts";
export * from "./version.ts";
export * from "./view.ts";
export * from "./views.ts";
