/**
 * A value as a notebook shows it: by media type, the richest first.
 *
 * @module
 */

import { drawing, type View, viewHtml } from "../core/view.ts";
import { htmlView, textView } from "../core/views.ts";
import { Figure } from "../plots/figure.ts";
import type { DisplayBundle } from "./evaluator.ts";
import { fieldView } from "./field_view.ts";
import { lineOf, textOf } from "./print.ts";

/** Key of the method by which values show themselves in Deno's own notebooks: an object of media types. */
const JUPYTER_DISPLAY = Symbol.for("Jupyter.display");

/**
 * The bundle of a value, nothing for `undefined`: figures as picture, specification and text; what has a
 * `Jupyter.display` as that says; everything else as text, and as HTML if it has an `htmlView` or
 * fields. `name` is what the value is called. A view that throws gives
 * the error's message in angle brackets.
 *
 * @example
 * ```ts
 * import { bundleOf } from "grantlab/repl";
 * const { data } = (await bundleOf(0xfffn))!;
 * if (data["text/plain"] !== "0xfffn") throw new Error(JSON.stringify(data));
 * ```
 */
export async function bundleOf(value: unknown, name?: string): Promise<DisplayBundle | undefined> {
  if (value === undefined) return undefined;
  try {
    return await viewOf(value, name);
  } catch (error) {
    // What V8 throws through Deno.inspect when it is told to stop.
    const what = error === null ? "was interrupted" : `failed: ${lineOf(error)}`;
    return { data: { "text/plain": `<its view ${what}>` }, metadata: {} };
  }
}

async function viewOf(value: unknown, name: string | undefined): Promise<DisplayBundle> {
  if (value instanceof Figure) return await value.bundle() as unknown as DisplayBundle;
  const views = value as Partial<Record<symbol, unknown>> | null;
  const isObject = typeof value === "object" && views !== null || typeof value === "function";
  if (isObject && typeof views![JUPYTER_DISPLAY] === "function") {
    return { data: await views![JUPYTER_DISPLAY].call(value), metadata: {} };
  }
  const text = { "text/plain": textOf(value, name === undefined ? {} : { name }) };
  if (!isObject || typeof views![htmlView] !== "function") {
    const own = isObject && typeof views![textView] === "function";
    const fields = own ? drawn(text["text/plain"]) : fieldView(value, lineOf);
    return { data: fields === undefined ? text : { "text/html": viewHtml(fields), ...text }, metadata: {} };
  }
  return { data: { "text/html": String(views![htmlView].call(value)), ...text }, metadata: {} };
}

/** A text of a class's own as a view. */
function drawn(text: string): View {
  return { line: text, title: "", blocks: [drawing(text.split("\n"))] };
}
