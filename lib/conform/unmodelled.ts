/**
 * Formats that are recognised and counted but that no model replays yet: every unit fails, so that no count looks
 * better than the model is.
 *
 * @module
 */

import { type Format, type Head, numberedRows, type Row } from "./format.ts";

/** A format of one JSON object a line, recognised by its rows, whose units all fail. */
export function unmodelled(name: string, isRow: (row: Row) => boolean): Format {
  return {
    name,
    detect: (head: Head) => head.rows.length > 0 && head.rows.every(isRow),
    async replay(input, report) {
      for await (const { line } of numberedRows(input)) {
        report.fail(`line ${line}`, "the recorded outcome", `no model of ${name} replays yet`);
      }
    },
  };
}
