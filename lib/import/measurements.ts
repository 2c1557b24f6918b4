/**
 * A user's own measurements: CSV with the columns `operation`, `n`, `value`, `unit`, in any order, one header line.
 *
 * ```csv
 * operation,n,value,unit
 * getpid,1,95,ns
 * touch_write_anon,64,21700,ns
 * munmap_anon_touched,64,8100,ns
 * ```
 *
 * `operation` is a bench (`benches.md` names them), `n` its size, `value` what one repetition took. All rows have one
 * unit. Lines that are empty or begin with `#` are passed over.
 *
 * @module
 */

import { PRICE_UNITS, type PriceUnit } from "../cost/price.ts";

/** One measurement. */
export interface Measurement {
  /** Line in the file, from 1. */
  readonly line: number;
  readonly operation: string;
  readonly n: number;
  readonly value: number;
}

/** All of a file. */
export interface Measurements {
  /** What the file is called. */
  readonly name: string;
  readonly unit: PriceUnit;
  readonly rows: readonly Measurement[];
}

const COLUMNS = ["operation", "n", "value", "unit"] as const;
type Column = typeof COLUMNS[number];

/**
 * Reads measurements, all of them or none. Every refusal names file, line and reason.
 *
 * @param name what the file is called in messages
 * @throws {TypeError} if a column or a cell is missing
 * @throws {RangeError} if a value is not a number or negative, a size not a whole number from 1, a unit unknown or another
 *   than that of the rows before, or there is no row
 *
 * @example
 * ```ts
 * import { parseMeasurements } from "grantlab/import";
 * const { unit, rows } = parseMeasurements("operation,n,value,unit\ngetpid,1,95,ns\n", "mine.csv");
 * if (unit !== "ns" || rows[0]?.value !== 95) throw new Error();
 * ```
 */
export function parseMeasurements(text: string, name: string): Measurements {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/).map((line, i) => ({
    text: line.trim(),
    line: i + 1,
  }))
    .filter((line) => line.text !== "" && !line.text.startsWith("#"));
  const header = lines.shift();
  if (header === undefined) throw new RangeError(`Cannot use ${name}: it has no line`);
  const columns = columnsOf(header.text, `${name}:${header.line}`);
  if (lines.length === 0) {
    throw new RangeError(`Cannot use ${name}: there is no measurement under the header`);
  }
  let unit: PriceUnit | null = null;
  const rows = lines.map(({ text, line }) => {
    const where = `${name}:${line}`;
    const cells = cellsOf(text);
    const cell = (column: Column) => {
      const value = cells[columns[column]]?.trim() ?? "";
      if (value === "") throw new TypeError(`Cannot use ${where}: ${column} is missing`);
      return value;
    };
    const ownUnit = unitOf(cell("unit"), where);
    if (unit !== null && ownUnit !== unit) {
      throw new RangeError(`Cannot use ${where}: unit ${ownUnit} after ${unit}, all rows must have one unit`);
    }
    unit = ownUnit;
    const n = numberOf(cell("n"), "n", where);
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`Cannot use ${where}: n is ${n}, it must be a whole number from 1`);
    }
    return { line, operation: cell("operation"), n, value: numberOf(cell("value"), "value", where) };
  });
  return { name, unit: unit!, rows };
}

function columnsOf(header: string, where: string): Record<Column, number> {
  const names = cellsOf(header).map((cell) => cell.trim().toLowerCase());
  const columns = Object.fromEntries(COLUMNS.map((column) => [column, names.indexOf(column)]));
  const missing = COLUMNS.filter((column) => columns[column] === -1);
  if (missing.length > 0) throw new TypeError(`Cannot use ${where}: no column ${missing.join(", ")}`);
  const twice = COLUMNS.find((column) => names.indexOf(column) !== names.lastIndexOf(column));
  if (twice !== undefined) throw new TypeError(`Cannot use ${where}: column ${twice} stands there twice`);
  return columns as Record<Column, number>;
}

/** Cells of a line; one in quotes may hold commas, and quotes doubled. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)]
    .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}

function numberOf(cell: string, column: Column, where: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : NaN;
  if (!Number.isFinite(value)) {
    throw new RangeError(`Cannot use ${where}: ${column} is "${cell}", it must be a number`);
  }
  if (value < 0) throw new RangeError(`Cannot use ${where}: ${column} is ${cell}, it must not be negative`);
  return value;
}

function unitOf(cell: string, where: string): PriceUnit {
  const unit = PRICE_UNITS.find((unit) => unit === cell);
  if (unit !== undefined) return unit;
  throw new RangeError(`Cannot use ${where}: unit "${cell}" is unknown, there are ${PRICE_UNITS.join(", ")}`);
}
