/**
 * A walk that was drawn: the lines of `explain.ts`, as an object that shows itself.
 *
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import { drawing, type View } from "../../core/view.ts";

/** The drawing of one walk, as it was when it was asked for. */
export class WalkDrawing extends Shown {
  /** @param lines of `explainWalk`, and what the caller has to add */
  constructor(readonly lines: readonly string[]) {
    super();
  }

  /** What the walk came to, without the mark before it. */
  get outcome(): string {
    return this.lines.findLast((line) => line.startsWith("└ "))!.slice(2);
  }

  override toString(): string {
    return this.lines.join("\n");
  }

  override [viewOf](): View {
    const [head = "", ...rest] = this.lines;
    return {
      line: `walk of ${head.replaceAll(/ {2,}/g, ", ")}: ${this.outcome}`,
      title: head,
      blocks: [drawing(rest)],
    };
  }
}
