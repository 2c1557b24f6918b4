/**
 * Terminal twin of the bars stacked by layer.
 *
 * @module
 */

import { columnsOf, fitLeft, truncate, wrapParts, wrapWords } from "../core/text_fit.ts";
import { tint } from "./ansi.ts";
import { barLabel, type LayerBar, type LayerChart } from "./layer_bars.ts";
import { rounded } from "./rounded.ts";
import { layerStyle } from "./theme.ts";

const LONGEST_LABEL = 28;

/** The chart as text without a final newline, in at most `width` columns. */
export function costByLayerText(chart: LayerChart, width: number, colour: boolean): string {
  const { bars, layers } = chart;
  const labels = bars.map(barLabel);
  const labelWidth = Math.min(LONGEST_LABEL, Math.floor(width / 3), Math.max(...labels.map(columnsOf)));
  const tails = bars.map(({ total, low, high }) =>
    `${rounded(total)}${high > low ? ` (${rounded(low)}–${rounded(high)})` : ""}`
  );
  const tailWidth = Math.min(Math.floor(width / 3), Math.max(...tails.map(columnsOf)));
  const room = Math.max(1, width - labelWidth - 3 - tailWidth);
  const perColumn = (Math.max(...bars.map((bar) => bar.total)) || 1) / room;
  return [
    ...wrapWords(chart.title, width),
    ...wrapWords(chart.subtitle, width),
    ...wrapWords(chart.axisTitle, width),
    "",
    ...bars.map((bar, i) =>
      `${fitLeft(labels[i]!, labelWidth)} │${drawn(bar, perColumn, colour)} ${truncate(tails[i]!, tailWidth)}`
    ),
    "",
    ...wrapParts(
      layers.map((layer) => `${layerStyle(layer).symbol} ${layerStyle(layer).label}`),
      "   ",
      width,
    ),
  ].join("\n");
}

/** Ends of parts are rounded, not their lengths. */
function drawn({ parts }: LayerBar, perColumn: number, colour: boolean): string {
  let cost = 0;
  let columns = 0;
  let text = "";
  for (const { layer, amount } of parts) {
    cost += amount;
    const end = Math.round(cost / perColumn);
    text += tint(layerStyle(layer).symbol.repeat(end - columns), layerStyle(layer).colour, colour);
    columns = end;
  }
  return text;
}
