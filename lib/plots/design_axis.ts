/**
 * The axis of designs that charts share: one row per design, its label, and a square in its colour beside the label.
 *
 * @module
 */

import { textWidth } from "./font_metrics.ts";
import { designStyle, PAPER } from "./theme.ts";

/** Distance from the labels to the plot, which leaves room for the square. */
const SWATCH_ROOM = 20;

/** Longer labels are cut, in pixels. */
export const LABEL_LIMIT = 140;

/** Size of labels in pixels. */
const LABEL_SIZE = 11;

/** Width in pixels that the longest of some labels takes. */
export function labelRoom(labels: Iterable<string>): number {
  return Math.min(LABEL_LIMIT, Math.max(...[...labels].map((label) => textWidth(label, LABEL_SIZE))));
}

/** Width in pixels that labels and squares of some designs take. */
export function designAxisRoom(designs: readonly string[]): number {
  return labelRoom(designs.map((design) => designStyle(design).label)) + SWATCH_ROOM;
}

/** The distinct designs of some rows, in the order of their first appearance. */
export function designsOf(rows: readonly { readonly design: string }[]): string[] {
  return [...new Set(rows.map((row) => row.design))];
}

/** Encoding of the `y` channel: the field `design`, its values in the order given, with their labels. */
export function designAxis(designs: readonly string[]): Record<string, unknown> {
  return {
    field: "design",
    type: "nominal",
    sort: designs,
    title: null,
    axis: {
      labelExpr: lookUp(designs.map((design) => [design, designStyle(design).label])),
      labelPadding: SWATCH_ROOM,
      labelLimit: LABEL_LIMIT,
      domain: false,
      ticks: false,
    },
  };
}

/** Layer that draws the squares; it has no axis of its own, so the chart resolves its `y` axes independently. */
export function designSwatches(designs: readonly string[]): Record<string, unknown> {
  return {
    data: { values: designs.map((design) => ({ design, colour: designStyle(design).colour })) },
    mark: {
      type: "point",
      shape: "square",
      size: 90,
      filled: true,
      opacity: 1,
      stroke: PAPER.line,
      strokeWidth: 0.5,
    },
    encoding: {
      x: { value: -SWATCH_ROOM / 2 },
      y: { field: "design", type: "nominal", sort: designs, axis: null },
      fill: { field: "colour", type: "nominal", scale: null, legend: null },
    },
  };
}

/** Vega expression that turns an axis value into its text. */
export function lookUp(pairs: readonly (readonly [string, string])[]): string {
  return `${JSON.stringify(Object.fromEntries(pairs))}[datum.value]`;
}
