/**
 * Terminal twin of the charts of lines: for each place a bar per series, the range behind the amount.
 *
 * @module
 */

import { columnsOf, fitLeft, fitRight, truncate, wrapWords } from "../core/text_fit.ts";
import { tint } from "./ansi.ts";
import type { LineChart, LineRow } from "./line_chart.ts";
import { rounded } from "./rounded.ts";
import { seriesStyles } from "./series_style.ts";

const LONGEST_NAME = 22;
const LONGEST_X = 10;

/** The chart as text without a final newline, in at most `width` columns. */
export function linesText(chart: LineChart, width: number, colour: boolean): string {
  const { rows, names, xs, peaks, words } = chart;
  const styles = seriesStyles(names);
  const labels = styles.map(({ label }) => names.length === 1 ? "" : label);
  const nameWidth = Math.min(LONGEST_NAME, Math.max(...labels.map(columnsOf)));
  const xWidth = Math.min(LONGEST_X, Math.max(...xs.map(String).map(columnsOf)));
  const tails = new Map(rows.map((row) => [row, tailOf(row, peaks.includes(row))]));
  const tailWidth = Math.min(Math.floor(width / 2), Math.max(...[...tails.values()].map(columnsOf)));
  const room = Math.max(1, width - (xWidth + 1 + nameWidth + 2) - 1 - tailWidth);
  const most = Math.max(...rows.map((row) => row.amount)) || 1;
  const lines = [words.title, words.subtitle, `${words.yTitle}, by ${words.xTitle}`].flatMap((text) =>
    wrapWords(text, width)
  );
  lines.push("");
  for (const x of xs) {
    let place = String(x);
    for (const [i, name] of names.entries()) {
      const row = rows.find((one) => one.series === name && one.x === x);
      if (row === undefined) continue;
      const head = truncate(
        `${fitRight(place, xWidth)} ${nameWidth === 0 ? "" : `${fitLeft(labels[i]!, nameWidth)} `}│`,
        width,
      );
      const bar = "█".repeat(Math.round(row.amount / most * room));
      lines.push(
        `${head}${tint(bar, styles[i]!.colour, colour)} ${truncate(tails.get(row)!, tailWidth)}`,
      );
      place = "";
    }
  }
  return lines.join("\n");
}

/** `179.8 (79.2–343) peak` */
function tailOf({ amount, low = amount, high = amount }: LineRow, isPeak: boolean): string {
  const range = high > low ? ` (${rounded(low)}–${rounded(high)})` : "";
  return `${rounded(amount)}${range}${isPeak ? " peak" : ""}`;
}
