/**
 * What a release made cheaper or dearer, and by which events: a bench is run over the model of each release, counted, and
 * priced with the instructions fitted to that release's own recording. A difference is told event by event: what happens
 * more or less often, or takes more or fewer instructions each time.
 *
 * Events that always come together share their cost by expected sizes (`cost/README.md`), so a single event's part is less
 * sure than their sum.
 *
 * @module
 */

import { instructionListOf } from "../cost/instruction_lists.ts";
import type { InstructionList } from "../cost/instruction_list.ts";
import type { CostCounts, CostKind } from "../cost/operations.ts";
import { repIterations } from "../cost/rep_iterations.ts";
import { knownOptions } from "../core/options.ts";
import { outOfRange, wrongType } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { benchCounts } from "./benches/benches.ts";
import type { BenchMachine, BenchMode, BenchTables } from "./benches/machine.ts";

/** What is compared. */
export interface ReleaseCostOptions {
  /** Names of benches with their sizes: `munmap_anon_touched` of 1 page. */
  readonly benches: readonly (readonly [bench: string, n: number])[];
  /** Kernel and hypervisor pairs in order, as recordings are called; default: the four kernels recorded. */
  readonly releases?: readonly string[];
  /** Default `linux`, the kernel alone. */
  readonly machine?: BenchMachine;
  /** Default: `foreign` for benches of grants on `xenpv`, else `generic`. */
  readonly mode?: BenchMode;
  /** Default `warm`. */
  readonly tables?: BenchTables;
}

const KNOWN: Readonly<Record<keyof ReleaseCostOptions, true>> = {
  benches: true,
  releases: true,
  machine: true,
  mode: true,
  tables: true,
};

const MACHINES: Readonly<Record<BenchMachine, true>> = { linux: true, xenpv: true, xenpvh: true };
const TABLES: Readonly<Record<BenchTables, true>> = { warm: true, cold: true };

/** What one event adds to, or takes off, a bench from one release to the next. */
export interface ReleaseCostRow {
  readonly bench: string;
  readonly n: number;
  readonly from: string;
  readonly to: string;
  /** Name of the event; `string instructions` are iterations, counted by rule. */
  readonly event: string;
  /** How often it happens on each. */
  readonly before: number;
  readonly after: number;
  /** Change in instructions. */
  readonly change: number;
  readonly unit: "instructions";
  readonly source: string;
}

/** Releases that costs were recorded on, oldest first. */
export const COST_RELEASES: readonly string[] = Object.freeze([
  "linux5_10-xen4_14",
  "linux6_1-xen4_17",
  "linux6_12-xen4_20",
  "linux7_2-xen4_20",
]);

const REP = "string instructions";

/**
 * Changes of cost between releases, those of no instruction left out.
 *
 * @throws {TypeError} if benches or releases are not lists
 * @throws {RangeError} if there are fewer than two releases, or no prices of one, or no such bench, machine or tables
 *
 * @example
 * ```ts
 * import { releaseCosts } from "grantlab/experiments";
 * const releases = ["linux6_1-xen4_17", "linux6_12-xen4_20"];
 * const rows = releaseCosts({ benches: [["mmap_anon", 1]], releases });
 * const nodes = rows.find(({ event }) => event === "vma_tree_prealloc")!;
 * if (nodes.before !== 7 || nodes.after !== 1 || nodes.change >= 0) throw new Error(JSON.stringify(nodes));
 * ```
 */
export function releaseCosts(options: ReleaseCostOptions): ReleaseCostRow[] {
  knownOptions("releaseCosts()", options, KNOWN);
  const { benches, releases = COST_RELEASES, machine = "linux", tables = "warm" } = options;
  if (!Array.isArray(benches) || !benches.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw wrongType(
      "compare costs of",
      benches,
      'it must be a list of benches with sizes: [["mmap_anon", 1]]',
    );
  }
  if (!Array.isArray(releases)) throw wrongType("compare releases", releases, "it must be a list of names");
  lookUp("machine", MACHINES, machine);
  lookUp("state of page tables", TABLES, tables);
  if (releases.length < 2) throw outOfRange("compare costs of", releases.length, "it takes two releases");
  return benches.flatMap(([bench, n]) => {
    const mode = options.mode ??
      (machine === "linux" || !/gntdev|grant|raw_/.test(bench) ? "generic" : "foreign");
    const priced = releases.map((release) => pricedBench(release, bench, n, { machine, mode, tables }));
    return priced.slice(1).flatMap((after, i) => changesBetween(bench, n, priced[i]!, after));
  });
}

interface Setting {
  readonly machine: BenchMachine;
  readonly mode: BenchMode;
  readonly tables: BenchTables;
}

interface PricedBench {
  readonly release: string;
  readonly list: InstructionList;
  readonly counts: CostCounts;
  readonly costs: ReadonlyMap<string, number>;
}

function pricedBench(release: string, bench: string, n: number, setting: Setting): PricedBench {
  const [kernel = "", xen = ""] = release.split("-");
  const list = instructionListOf(setting.machine, kernel, xen);
  if (list === undefined) {
    throw outOfRange("price", release, `no prices are fitted to it on ${setting.machine}`);
  }
  const counts = benchCounts(bench, n, { ...setting, kernel, xen });
  const costs = new Map<string, number>();
  for (const [kind, times] of Object.entries(counts) as [CostKind, number][]) {
    const price = list.prices[kind]?.per;
    if (price !== undefined) costs.set(kind, times * (price.user + price.kernel + price.xen));
  }
  const { user, kernel: inKernel, xen: inXen } = repIterations(counts, { erms: true }, kernel);
  costs.set(REP, user + inKernel + inXen);
  return { release, list, counts, costs };
}

function changesBetween(bench: string, n: number, from: PricedBench, to: PricedBench): ReleaseCostRow[] {
  const events = [...new Set([...from.costs.keys(), ...to.costs.keys()])];
  return events.flatMap((event) => {
    const change = Math.round((to.costs.get(event) ?? 0) - (from.costs.get(event) ?? 0));
    if (change === 0) return [];
    const times = ({ counts, costs }: PricedBench) =>
      event === REP ? costs.get(REP)! : counts[event as CostKind] ?? 0;
    const source = `${from.list.source}; ${to.list.source}`;
    const common = { bench, n, from: from.release, to: to.release, unit: "instructions" } as const;
    return [{ ...common, event, before: times(from), after: times(to), change, source }];
  });
}
