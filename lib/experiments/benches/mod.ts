/**
 * The benches whose instructions were recorded, as programs over the model. Start with `benches.ts`.
 *
 * @module
 */

export { benchCounts, BENCHES } from "./benches.ts";
export type { Bench, Round } from "./bench.ts";
export { type HostOptions, hostPrices } from "./host_prices.ts";
export {
  BENCH_MACHINES,
  BenchHost,
  type BenchMachine,
  type BenchMode,
  type BenchSetting,
  type BenchTables,
} from "./machine.ts";
export { BenchRuns, FRAME_BENCH, frameOf, isCalm, observe, type ObservedRow } from "./observations.ts";
