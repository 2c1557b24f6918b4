/**
 * Replaying one input: tell its format, run its replayer.
 *
 * @module
 */

import { BadInput, type Format, type Input, type ReplayOptions } from "./format.ts";
import { detectFormat } from "./formats.ts";
import { Report } from "./report.ts";

/**
 * Replays an input.
 *
 * @param show how many differences to keep
 * @throws {BadInput} if its format is unknown or a line is malformed
 */
export async function replayInput(
  input: Input,
  options: ReplayOptions = {},
  show = 3,
): Promise<{ format: Format; report: Report }> {
  const format = detectFormat(input.head);
  if (format === undefined) throw new BadInput(input.path, unknown(input));
  const report = new Report(show);
  await format.replay(input, report, options);
  return { format, report };
}

function unknown({ head }: Input): string {
  if (head.kind === "folder") {
    return "the folder is not a page-table image (registers.txt, frames.json, frames.bin)";
  }
  return head.lines.length === 0 ? "the file is empty" : "the content is of no known format";
}
