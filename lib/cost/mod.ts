/**
 * What a run costs: counted events times a price list. Facts and prices are apart: the model counts, a list is data,
 * and a run is priced again without being run again. Knows only the table of events.
 *
 * Start with `price_of.ts`; what a price is stands in `price.ts`, what the figures are worth in `README.md`.
 *
 * @module
 */

export * from "./assumed_cycles.ts";
export * from "./closed_queues.ts";
export * from "./contention.ts";
export * from "./lock_classes.ts";
export * from "./parse_price_list.ts";
export * from "./price.ts";
export * from "./price_list.ts";
export * from "./price_of.ts";
export * from "./calibrate.ts";
export * from "./observation.ts";
export * from "./fit_prices.ts";
export * from "./instruction_list.ts";
export * from "./instruction_price_list.ts";
export * from "./operations.ts";
export * from "./predict.ts";
export * from "./rep_iterations.ts";
export * from "./instruction_lists.ts";
export * from "./simulate_queues.ts";
