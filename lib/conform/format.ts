/**
 * The contract of a replayer: it recognises its golden data by content, and replays every unit of it.
 *
 * To add a format: one file that exports a {@linkcode Format}, one line in `formats.ts`.
 *
 * @module
 */

import type { Report } from "./report.ts";

/** The beginning of an input, from which its format is told; names play no part, but those of a folder's files. */
export interface Head {
  readonly kind: "file" | "folder";
  /** The first lines of a file that are not empty, at most five. */
  readonly lines: readonly string[];
  /** Those of them that are JSON objects. */
  readonly rows: readonly Row[];
  /** Files in a folder, `.gz` taken off. */
  readonly names: ReadonlySet<string>;
}

/** A JSON object whose fields nobody has checked yet. */
export type Row = Readonly<Record<string, unknown>>;

/** A golden file or folder. Files whose content is gzip are unpacked on the way. */
export interface Input {
  readonly path: string;
  readonly head: Head;
  /** Streams the lines of the file, or of the named file of a folder. @throws {BadInput} if it cannot be read */
  lines(name?: string): AsyncIterable<string>;
  /** Reads a file of a folder whole. @throws {BadInput} if it cannot be read */
  bytes(name: string): Promise<Uint8Array>;
}

/** What the user chose; a replayer checks what concerns it. */
export interface ReplayOptions {
  /** Kernel flavour to replay on, where the data itself does not say. */
  readonly kernel?: string;
  /** Hypervisor flavour. */
  readonly xen?: string;
}

/** A kind of golden data. */
export interface Format {
  readonly name: string;
  detect(head: Head): boolean;
  /** Replays all units. @throws {BadInput} at the first malformed line */
  replay(input: Input, report: Report, options: ReplayOptions): void | Promise<void>;
}

/** An input that cannot be read or understood. The message names path, line and reason. */
export class BadInput extends Error {
  override readonly name = "BadInput";
  constructor(readonly where: string, readonly reason: string) {
    super(`${where}: ${reason}`);
  }
}

/** A line with its place. */
export interface NumberedLine {
  readonly text: string;
  /** `path:line`, for messages. */
  readonly where: string;
  readonly line: number;
}

/** The lines that are not empty, with their places. */
export async function* numberedLines(input: Input, name?: string): AsyncGenerator<NumberedLine> {
  const path = name === undefined ? input.path : `${input.path}/${name}`;
  let line = 0;
  for await (const text of input.lines(name)) {
    line++;
    if (text !== "") yield { text, where: `${path}:${line}`, line };
  }
}

/** The JSON objects of a file of one object a line, with their places. @throws {BadInput} at a line that is none */
export async function* numberedRows(input: Input): AsyncGenerator<{ row: Row; where: string; line: number }> {
  for await (const { text, where, line } of numberedLines(input)) {
    yield { row: parseRow(text, where), where, line };
  }
}

/** Parses a line that must be a JSON object. @throws {BadInput} if it is not */
export function parseRow(text: string, where: string): Row {
  const value = parseJson(text, where);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadInput(where, "the line is not a JSON object");
  }
  return value as Row;
}

/** Parses JSON text. @throws {BadInput} if it is not JSON */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new BadInput(where, `not JSON: ${(e as Error).message}`);
  }
}
