/**
 * What every chart's specification begins with: schema, title, size, fonts.
 *
 * @module
 */

import { textWidth } from "./font_metrics.ts";
import { type FigureSize, VEGA_LITE_SCHEMA, type VegaLiteSpec } from "./spec.ts";
import { chartConfig, SUBTITLE_SIZE, TITLE_SIZE } from "./theme.ts";

/** Title and size of a chart. */
export interface ChartFrame {
  readonly title: string;
  /** Empty for none. */
  readonly subtitle: string;
  readonly size: FigureSize;
}

/** Taken by the labels of the vertical axis, right of which titles begin. */
const LABELS = 84;

/** A title as one text, or as lines if it is wider than the chart. */
function fitted(text: string, fontSize: number, bold: boolean, room: number): string | string[] {
  if (textWidth(text, fontSize, bold) <= room) return text;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && textWidth(longer, fontSize, bold) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A specification of these layers in a frame. */
export function framed(
  { title, subtitle, size }: ChartFrame,
  parts: Readonly<Record<string, unknown>>,
): VegaLiteSpec {
  const room = size.width - LABELS;
  const text = fitted(title, TITLE_SIZE, true, room);
  return {
    $schema: VEGA_LITE_SCHEMA,
    title: subtitle === "" ? { text } : { text, subtitle: fitted(subtitle, SUBTITLE_SIZE, false, room) },
    ...size,
    autosize: { type: "fit", contains: "padding" },
    padding: 10,
    ...parts,
    config: chartConfig(),
  };
}
