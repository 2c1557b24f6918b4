/**
 * Rows of records as an aligned text table: numbers to the right, everything else to the left, never wider than asked.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { type TextColumn, textColumns } from "../core/text_columns.ts";

/** A column: its key, or its key with a header, an alignment and a way to write its values. */
export type TableColumn<Row> = (keyof Row & string) | {
  readonly key: keyof Row & string;
  readonly header?: string;
  readonly align?: "left" | "right";
  /** How a value is written, for example frames in hex. */
  readonly format?: (value: unknown, row: Row) => string;
};

/** What {@linkcode table} accepts beside the rows. */
export interface TableOptions<Row> {
  /** Columns to show, in order. Without it: every key, in the order of its first appearance. */
  readonly columns?: readonly TableColumn<Row>[];
  /** Greatest number of terminal columns; 80 without it. */
  readonly width?: number;
}

/**
 * Text table of `rows` without a final newline; `(no rows)` if there are none and no columns were named.
 *
 * Numbers and bigints stand to the right, unless the column says otherwise; a bigint is written in hex. The widest
 * columns are cut first, with a "…" in each cut cell; columns that do not fit even at three characters are left out from
 * the right, and a last column "…" says so.
 *
 * @throws {RangeError} if `width` is not a whole number of at least 10
 * @example
 * ```ts
 * import { table } from "grantlab/plots";
 * const text = table([{ page: 0, path: "fast" }, { page: 10, path: "slow" }]);
 * if (text !== "page  path\n────  ────\n   0  fast\n  10  slow") throw new Error(text);
 * ```
 */
export function table<Row extends object>(rows: readonly Row[], options: TableOptions<Row> = {}): string {
  const limit = options.width ?? 80;
  if (!Number.isSafeInteger(limit) || limit < 10) {
    throw outOfRange("print a table of width", limit, "it must be a whole number of at least 10");
  }
  const columns = (options.columns ?? keysOf(rows)).map((column) => layOut(rows, column));
  if (columns.length === 0) return "(no rows)";
  return textColumns(columns, limit).join("\n");
}

function keysOf<Row extends object>(rows: readonly Row[]): (keyof Row & string)[] {
  const keys = new Set<string>();
  for (const row of rows) for (const key of Object.keys(row)) keys.add(key);
  return [...keys] as (keyof Row & string)[];
}

function layOut<Row extends object>(rows: readonly Row[], column: TableColumn<Row>): TextColumn {
  const { key, header, align, format }: Exclude<TableColumn<Row>, string> = typeof column === "string"
    ? { key: column as keyof Row & string }
    : column;
  const values = rows.map((row) => row[key] as unknown);
  const cells = values.map((value, i) => oneLine(format ? format(value, rows[i]!) : cellText(value)));
  const isNumber = (value: unknown) => typeof value === "number" || typeof value === "bigint";
  const present = values.filter((value) => value !== undefined && value !== null);
  const right = align ? align === "right" : present.length > 0 && present.every(isNumber);
  return { header: oneLine(header ?? key), right, cells };
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "bigint") {
    return `${value < 0n ? "-" : ""}0x${(value < 0n ? -value : value).toString(16)}`;
  }
  if (typeof value === "object") {
    return JSON.stringify(value, (_, v) => typeof v === "bigint" ? cellText(v) : v);
  }
  return String(value);
}

/** Control characters would break the lines of the table. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
