/**
 * Charts: rows in, figure out. Each chart is one file with its own row type and knows nothing of the model; a
 * {@linkcode Figure} becomes terminal text, SVG, PNG, CSV, a Vega-Lite specification or a notebook's output.
 *
 * Start with `split_verdict.ts`, the chart of the seed's question. Colours and labels: `theme.ts`.
 *
 * @module
 */

export * from "./address_space.ts";
export * from "./before_after.ts";
export * from "./cost_against.ts";
export * from "./cost_by_design.ts";
export * from "./cost_by_layer.ts";
export * from "./cost_changes.ts";
export * from "./csv.ts";
export * from "./figure.ts";
export * from "./flame_graph.ts";
export * from "./layer_bars.ts";
export * from "./line_chart.ts";
export * from "./lines_with_bands.ts";
export * from "./peak_and_fall.ts";
export * from "./png.ts";
export * from "./references_by_working_set.ts";
export * from "./save.ts";
export * from "./series_style.ts";
export * from "./shootdown_timeline.ts";
export * from "./spec.ts";
export * from "./split_verdict.ts";
export * from "./table.ts";
export * from "./theme.ts";
