/**
 * grantlab: Xen grant mapping, Linux memory management and the x86-64 MMU as an executable model.
 *
 * The names here are what people type; each layer exports all of its own (`grantlab/x86`, `grantlab/linux/mm`, …).
 *
 * @example
 * ```ts
 * import { explain, PAGE, world } from "grantlab";
 * const w = world({ kernel: "linux6_1" });
 * const qemu = w.process("qemu");
 * const vma = qemu.mmapGrants(w.guest.grant(4));
 * qemu.munmap(vma.start + PAGE, PAGE);
 * const io = qemu.directRead(vma.start + 2 * PAGE, PAGE);
 * if (!String(explain(io)).includes("vm_normal_page")) throw new Error(String(io));
 * ```
 *
 * @module
 */

export { hex, KernelBug, PAGE, truncateVaddr, tryVaddr, vaddr } from "./lib/core/mod.ts";
export { diff, type ReleaseDiff } from "./lib/conform/diff/diff.ts";
export { ASSUMED_CYCLES, parsePriceList, priceOf } from "./lib/cost/mod.ts";
export {
  compare,
  type Comparison,
  type Experiment,
  type ExperimentResult,
  EXPERIMENTS,
  explain,
  type Explanation,
  type Grants,
  type Guest,
  type IoOutcome,
  type Process,
  type ReleaseCostRow,
  releaseCosts,
  runExperiment,
  type SplitThenPinRow,
  type World,
  world,
  type WorldOptions,
} from "./lib/experiments/mod.ts";
export { KERNEL_FLAVOURS, type KernelFlavour, kernelFlavour } from "./lib/linux/mod.ts";
export { type ImportedProcess } from "./lib/import/mod.ts";
export { chart, chartCost, tabulate } from "./lib/repl/chart.ts";
export {
  chartCall,
  chartChange,
  chartExperiment,
  chartReleases,
  chartShootdown,
  chartSplit,
} from "./lib/repl/chart_experiment.ts";
export { show } from "./lib/repl/show.ts";
export { readMaps } from "./lib/repl/read_maps.ts";
export { EVENTS } from "./lib/trace/mod.ts";
export { XEN_FLAVOURS, xenFlavour } from "./lib/xen/mod.ts";
