/**
 * The shape of a Vega-Lite specification as the charts make it: JSON, data inside, readable by every front end that
 * renders `application/vnd.vegalite.v5+json`.
 *
 * @module
 */

/** Media type under which notebooks find a specification. */
export const VEGA_LITE_MIME = "application/vnd.vegalite.v5+json";

/** `$schema` of every specification. */
export const VEGA_LITE_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json";

/** A Vega-Lite v5 specification. */
export interface VegaLiteSpec {
  readonly $schema: typeof VEGA_LITE_SCHEMA;
  readonly [property: string]: unknown;
}

/** Width and height in CSS pixels. */
export interface FigureSize {
  readonly width: number;
  readonly height: number;
}
