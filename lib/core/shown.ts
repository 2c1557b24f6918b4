/**
 * Objects that show themselves: one {@linkcode View} answers the terminal, the pipe and the notebook.
 *
 * @module
 */

import { type View, viewHtml, viewText } from "./view.ts";
import { htmlView, lineView, textView } from "./views.ts";

/** Key of the method that answers the view of an object. */
export const viewOf: unique symbol = Symbol.for("grantlab.view");

/** What `Deno.inspect` tells a text view; only this much of it is used. */
interface InspectOptions {
  readonly breakLength?: number;
  /** 0 for the value asked for, more for what lies within it. */
  readonly currentDepth?: number;
}

/**
 * A class that shows itself. Inside another value it is one line.
 *
 * @example
 * ```ts
 * import { lineView, Shown, type View, viewOf } from "grantlab/core";
 * class Frame extends Shown {
 *   [viewOf](): View {
 *     return { line: "frame 0x1f" };
 *   }
 * }
 * if (new Frame()[lineView]() !== "frame 0x1f") throw new Error();
 * ```
 */
export abstract class Shown {
  /** What is shown. It only looks: nothing is counted, nothing changes. */
  abstract [viewOf](): View;

  [textView](_inspect?: unknown, options: InspectOptions = {}): string {
    const view = this[viewOf]();
    if ((options.currentDepth ?? 0) > 0) return view.line;
    const width = options.breakLength ?? 80;
    return viewText(view, Number.isFinite(width) ? Math.max(20, width) : 110);
  }

  [lineView](): string {
    return this[viewOf]().line;
  }

  /** The whole text, so that no template ever prints `[object Object]`. */
  toString(): string {
    return viewText(this[viewOf](), 110);
  }

  [htmlView](): string {
    return viewHtml(this[viewOf]());
  }
}
