/**
 * Golden data from strings, for tests that need no file.
 *
 * @module
 */

import {
  type Format,
  type Input,
  parseRow,
  type ReplayOptions,
  type Row,
} from "../../../lib/conform/format.ts";
import { Report } from "../../../lib/conform/report.ts";

/** A file of these lines, or with `files` a folder of these files. */
export function textInput(
  lines: readonly string[],
  files?: Readonly<Record<string, string | Uint8Array>>,
): Input {
  const rows = lines.slice(0, 5).flatMap((line): Row[] => {
    try {
      return [parseRow(line, "")];
    } catch {
      return [];
    }
  });
  const bytes = (name: string): Uint8Array => {
    const content = files![name]!;
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  };
  return {
    path: "golden",
    head: {
      kind: files === undefined ? "file" : "folder",
      lines: lines.slice(0, 5),
      rows,
      names: new Set(Object.keys(files ?? {})),
    },
    async *lines(name?: string): AsyncGenerator<string> {
      await Promise.resolve();
      yield* name === undefined ? lines : new TextDecoder().decode(bytes(name)).split("\n");
    },
    bytes: (name) => Promise.resolve(bytes(name)),
  };
}

/** Replays and answers `[passed, failed, advisory]` and the differences as text. */
export async function replay(
  format: Format,
  input: Input,
  options: ReplayOptions = {},
): Promise<{ counts: number[]; differences: string[] }> {
  const report = new Report(9);
  await format.replay(input, report, options);
  return {
    counts: [report.passed, report.failed, report.advisory],
    differences: report.differences.map((d) => `${d.where}: expected ${d.expected}, got ${d.got}`),
  };
}
