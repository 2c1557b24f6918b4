/**
 * A session to test: run as a program it opens one whose names are this module's exports. Stands in for `mod.ts`, so
 * that the tests of `repl` do not depend on the model.
 *
 * @module
 */

import { lineView } from "../../lib/core/views.ts";
import { runSession } from "../../lib/repl/session.ts";

/** Something with a text view of several lines and no line of its own. */
export class Table {
  constructor(readonly rows: readonly number[]) {}
  [Symbol.for("Deno.customInspect")](): string {
    return ["page", ...this.rows].join("\n");
  }
}

/** Something with both. */
export class Drawing {
  [Symbol.for("Deno.customInspect")](): string {
    return "AA\nBB";
  }
  [lineView](): string {
    return "Drawing AA/BB";
  }
}

export function table(): Table {
  return new Table([1, 2]);
}

if (import.meta.main) {
  Deno.exit(
    await runSession(Deno.args, {
      preamble: { module: import.meta.url, setup: ["const ready: bigint = 0x10n"] },
      banner: "fixture",
    }),
  );
}
