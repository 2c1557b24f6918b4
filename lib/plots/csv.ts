/**
 * Rows as CSV (RFC 4180 quoting, lines ended by a line feed). A record inside a row becomes one column per key,
 * `events.hypercall`; a value that is missing becomes an empty field.
 *
 * @module
 */

/**
 * CSV text of `rows`, header first.
 *
 * @throws {RangeError} if there are no rows: there would be no header to write
 * @example
 * ```ts
 * import { toCsv } from "grantlab/plots";
 * const text = toCsv([{ design: "a,b", events: { hypercall: 2 } }]);
 * if (text !== 'design,events.hypercall\n"a,b",2\n') throw new Error(text);
 * ```
 */
export function toCsv(rows: readonly object[]): string {
  if (rows.length === 0) {
    throw new RangeError("Cannot write CSV of 0 rows: there is no row to take the columns from");
  }
  const flat = rows.map((row) => {
    const fields = new Map<string, unknown>();
    flatten(row, "", fields);
    return fields;
  });
  const columns = [...new Set(flat.flatMap((fields) => [...fields.keys()]))];
  const lines = flat.map((fields) => columns.map((column) => field(fields.get(column))).join(","));
  return [columns.map(field).join(","), ...lines].join("\n") + "\n";
}

function flatten(record: object, prefix: string, into: Map<string, unknown>): void {
  for (const [key, value] of Object.entries(record)) {
    const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isRecord) flatten(value, `${prefix}${key}.`, into);
    else into.set(prefix + key, value);
  }
}

function field(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = Array.isArray(value) ? JSON.stringify(value) : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
