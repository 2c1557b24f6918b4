/**
 * Terminal twin of the chart of costs: bars of shaded blocks, one shade per layer, the total behind each.
 *
 * @module
 */

import { tint } from "./ansi.ts";
import type { CostBars } from "./cost_bars.ts";
import { columnsOf, fitLeft, wrapParts, wrapWords } from "../core/text_fit.ts";
import { designStyle, layerStyle } from "./theme.ts";

/** What the twin is drawn from. */
export interface CostByDesignTextInput {
  readonly bars: CostBars;
  readonly title: string;
  readonly subtitle: string;
  /** Greatest number of columns. */
  readonly width: number;
  readonly colour: boolean;
}

const LONGEST_LABEL = 16;

/** The chart as text without a final newline. */
export function costByDesignText(input: CostByDesignTextInput): string {
  const { bars, title, subtitle, width, colour } = input;
  const labels = bars.designs.map((design) => designStyle(design).label);
  const labelWidth = Math.min(LONGEST_LABEL, Math.max(...labels.map(columnsOf)));
  const totals = bars.designs.map((design) => grouped(bars.totals.get(design)!));
  const totalWidth = Math.max(...totals.map(columnsOf));
  const room = Math.max(1, width - (2 + labelWidth + 2) - (1 + totalWidth)); // "■ label │" and " total"
  const perColumn = (Math.max(...bars.totals.values()) || 1) / room;
  const keys = bars.layers.map((layer) => `${layerStyle(layer).symbol} ${layerStyle(layer).label}`);
  return [
    ...wrapWords(title, width),
    ...wrapWords(subtitle, width),
    ...wrapWords(bars.axisTitle, width),
    "",
    ...bars.designs.map((design, i) => {
      const { label, colour: own } = designStyle(design);
      const bar = barOf(bars, design, perColumn, colour);
      return `${tint("■", own, colour)} ${fitLeft(label, labelWidth)} │${bar} ${totals[i]!}`;
    }),
    "",
    ...wrapParts(keys, "   ", width),
  ].join("\n");
}

/** Ends of parts are rounded, not their lengths: a bar is as long as its total, however many parts it has. */
function barOf(bars: CostBars, design: string, perColumn: number, colour: boolean): string {
  let cost = 0;
  let drawn = 0;
  let text = "";
  for (const part of bars.parts.filter((one) => one.design === design)) {
    cost += part.amount;
    const end = Math.round(cost / perColumn);
    const style = layerStyle(part.layer);
    text += tint(style.symbol.repeat(end - drawn), style.colour, colour);
    drawn = end;
  }
  return text;
}

/** 12345.6 as `12,346`, the same in every locale. */
function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}
