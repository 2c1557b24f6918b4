/**
 * What every chart's specification begins with: schema, title, size, fonts.
 *
 * @module
 */

import { type FigureSize, VEGA_LITE_SCHEMA, type VegaLiteSpec } from "./spec.ts";
import { chartConfig } from "./theme.ts";

/** Title and size of a chart. */
export interface ChartFrame {
  readonly title: string;
  /** Empty for none. */
  readonly subtitle: string;
  readonly size: FigureSize;
}

/** A specification of these layers in a frame. */
export function framed(
  { title, subtitle, size }: ChartFrame,
  parts: Readonly<Record<string, unknown>>,
): VegaLiteSpec {
  return {
    $schema: VEGA_LITE_SCHEMA,
    title: subtitle === "" ? { text: title } : { text: title, subtitle },
    ...size,
    autosize: { type: "fit", contains: "padding" },
    padding: 10,
    ...parts,
    config: chartConfig(),
  };
}
