/** Rows that several tests of the plots layer draw. @module */

import type { SplitVerdictRow } from "../../../lib/plots/mod.ts";

/** Two designs, four pages, page 1 unmapped; the second design is wrong behind it. */
export const SPLIT_ROWS: readonly SplitVerdictRow[] = [
  row("linux6_1", 0, "fast", "page 0", "page 0", "ok"),
  row("linux6_1", 1, "slow", "EFAULT", "EFAULT", "ok"),
  row("linux6_1", 2, "fast", "page 2", "page 2", "ok"),
  row("linux6_1", 3, "fast", "page 3", "page 3", "ok"),
  row("seed2014", 0, "slow", "page 0", "page 0", "ok"),
  row("seed2014", 1, "slow", "EFAULT", "EFAULT", "ok"),
  row("seed2014", 2, "slow", "page 0", "page 2", "wrong-page"),
  row("seed2014", 3, "slow", "page 1", "page 3", "wrong-page"),
];

/** One row of the split experiment. */
export function row(
  design: string,
  page: number,
  path: string,
  reached: string,
  expected: string,
  verdict: string,
): SplitVerdictRow {
  return { design, page, path, reached, expected, verdict, events: { gup_slow_page: 1 } };
}
