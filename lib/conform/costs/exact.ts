/**
 * A criterion that counts must meet exactly, row by row.
 *
 * @module
 */

import type { Report } from "../report.ts";

/** What is compared. */
export interface Exactly<R> {
  readonly name: (row: R) => string;
  /** Null: the row does not say. */
  readonly recorded: (row: R) => number | null;
  readonly counted: (row: R) => number;
}

/** One unit: met if all rows are. Rows that differ are named in a note. */
export function exact<R>(
  name: string,
  rows: readonly R[],
  report: Report,
  of: Exactly<R>,
): void {
  const misses: string[] = [];
  let asked = 0;
  for (const row of rows) {
    const recorded = of.recorded(row);
    if (recorded === null) continue;
    asked++;
    const counted = of.counted(row);
    if (recorded !== counted) misses.push(`${of.name(row)}: ${counted} for ${recorded}`);
  }
  if (asked === 0) return;
  report.criterion(`${name} exact`, misses.length === 0, `${asked - misses.length} of ${asked} rows`);
  if (misses.length > 0) report.notes.push(`${name} not exact: ${misses.join("; ")}`);
}
