/**
 * What something costs against a size: fast against slow by pages, map against copy by bytes. The axis says whether prices
 * were assumed, the band how far they range.
 *
 * @module
 */

import type { ChartOptions, Figure } from "./figure.ts";
import type { LineRow } from "./line_chart.ts";
import { linesWithBands } from "./lines_with_bands.ts";
import { priceNote } from "./price_note.ts";

/** One point of one line. */
export interface CostPoint extends LineRow {
  /** `cycles`, `instructions`, `ns`: the same in all rows. */
  readonly unit: string;
  /** Where the prices come from; a text that begins with `measured` is a measurement. */
  readonly source: string;
}

/** Words and scales. */
export interface CostAgainstOptions extends ChartOptions {
  /** What varies: `pages`. */
  readonly xTitle: string;
  /** What the amounts are for: `page`. */
  readonly per?: string;
  readonly xLog?: boolean;
  readonly yLog?: boolean;
}

/**
 * Chart of {@linkcode CostPoint}s.
 *
 * @throws {RangeError} as `linesWithBands`
 *
 * @example
 * ```ts
 * import { costAgainst } from "grantlab/plots";
 * const rows = [{ series: "fast", x: 1, amount: 140, low: 70, high: 500, unit: "cycles", source: "assumed" }];
 * const text = costAgainst(rows, { xTitle: "pages", per: "page" }).toText();
 * if (!text.includes("cycles per page (assumed prices)")) throw new Error(text);
 * ```
 */
export function costAgainst(rows: readonly CostPoint[], options: CostAgainstOptions): Figure<LineRow> {
  const { per, ...rest } = options;
  const note = priceNote(rows.map((row) => row.source));
  const unit = rows[0]?.unit ?? "";
  return linesWithBands(rows, { ...rest, yTitle: `${unit}${per === undefined ? "" : ` per ${per}`}${note}` });
}
