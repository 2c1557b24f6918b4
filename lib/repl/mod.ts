/**
 * The session: an evaluator of lines (`evaluator.ts`), values as text (`print.ts`), and two front ends, one for pipes
 * (`piped.ts`) and one for people (`interactive.ts`). Start with `README.md`.
 *
 * @module
 */

export { declarationAt, type Listing } from "./commands/script.ts";
export * from "./display.ts";
export * from "./editor/editor.ts";
export * from "./editor/history.ts";
export * from "./editor/keys.ts";
export * from "./evaluator.ts";
export * from "./field_view.ts";
export * from "./help.ts";
export * from "./inspector_evaluator.ts";
export * from "./interactive.ts";
export * from "./kernel_language.ts";
export * from "./named_text.ts";
export * from "./piped.ts";
export * from "./print.ts";
export * from "./session.ts";
export * from "./show.ts";
export * from "./session_script.ts";
export * from "./source.ts";
