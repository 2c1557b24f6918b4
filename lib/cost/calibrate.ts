/**
 * Calibration: prices per event from recorded instruction counts, by non-negative least squares. What happens in a run
 * comes from the model, how many instructions it took from the recording; the iterations of string instructions are
 * known by rule and taken off first.
 *
 * Errors count relative to the row's total, large ones less than their square (three rounds of reweighting), so that
 * one bench the events explain badly does not bend all prices. Events that always come together share their cost by
 * {@linkcode PRICE_CLASSES}, with a weight that yields wherever the recordings can tell them apart.
 *
 * An event that happens in one bench only gets no price: it would repeat the bench, not explain it. Rows in which such an
 * event happens are not fitted to, since other prices would have to make up for it.
 *
 * @module
 */

import {
  type ByLayer,
  COST_LAYERS,
  type CostLayer,
  type InstructionList,
  type InstructionPrice,
} from "./instruction_list.ts";
import { solveNonNegative } from "./nnls.ts";
import { COST_KINDS, type CostCounts, type CostKind } from "./operations.ts";
import { EXPECTED_INSTRUCTIONS, FITTED_KINDS, PRICE_CLASSES } from "./price_class.ts";
import { type CpuModel, repIterations } from "./rep_iterations.ts";

/** One recorded row with what the model counts for it. */
export interface Observation {
  readonly bench: string;
  /** Pages, grants, bytes: what the bench was run with. */
  readonly n: number;
  readonly counts: CostCounts;
  readonly cpu: CpuModel;
  /** Release of the kernel. */
  readonly kernel: string;
  /** All instructions. */
  readonly total: number;
  /** By layer, if the recording says. Rows with and without may be mixed. */
  readonly layers?: ByLayer;
}

/** What a list is called and where it comes from. */
export type ListHead = Pick<InstructionList, "name" | "machine" | "kernel" | "xen" | "source">;

/** Weight of the expected sizes against the recordings, per row. */
const EXPECTATION_WEIGHT = 2e-5;
const ROUNDS = 3;
/** Below this error (relative) a row counts with its square. */
const SMALL_ERROR = 0.01;
/** Instructions below which a total counts as this much: no row is measured more exactly. */
const LEAST_TOTAL = 30;

/** Benches that differ only in what follows what they measure count as one. */
export function benchFamily(bench: string): string {
  return bench.startsWith("gntdev_") ? bench.replace(/_(ro|rw)$/, "") : bench;
}

/**
 * Fits a price list.
 *
 * @param relative list of another release of the same machine: its prices are expected instead of the sizes by class; when
 *   a bench is left out, those that never saw that bench either
 * @throws {RangeError} without observations
 */
export function calibrate(
  observations: readonly Observation[],
  head: ListHead,
  relative?: InstructionList,
): InstructionList {
  if (observations.length === 0) {
    throw new RangeError("Cannot calibrate from 0 rows: there is nothing to fit");
  }
  const { fitted, kinds, families } = usable(observations);
  const hasLayers = observations.some(({ layers }) => layers !== undefined);
  const fit = (rows: readonly Observation[], leftOut?: string) =>
    fitLayers(rows, kinds, hasLayers, (kind) => expectedPrice(kind, relative, leftOut));
  const whole = fit(fitted);
  const sizes = innerSizes(observations);
  const withoutSizes = sizes.map((size) => fit(fitted.filter(({ n }) => n !== size)));
  const names = [...new Set(observations.map(({ bench }) => benchFamily(bench)))];
  const without = names.map((name) => fit(fitted.filter(({ bench }) => benchFamily(bench) !== name), name));
  const totals = without.map((prices) => kinds.map((_, k) => sumOf(prices, k)));
  const errors = fitted.map((row) => relativeError(row, kinds, whole));
  const prices = kinds.map((kind, k): [CostKind, InstructionPrice] => {
    const own = fitted.flatMap((row, i) => (row.counts[kind] ?? 0) > 0 ? [errors[i]!] : []);
    const seen = [sumOf(whole, k), ...totals.map((total) => total[k]!)];
    return [kind, {
      per: { user: round(whole.user[k]!), kernel: round(whole.kernel[k]!), xen: round(whole.xen[k]!) },
      low: round(Math.min(...seen)),
      high: round(Math.max(...seen)),
      residual: Number(median(own).toFixed(4)),
      benches: families.get(kind)!.size,
      rows: own.length,
    }];
  });
  return {
    name: head.name,
    unit: "instructions",
    machine: head.machine,
    kernel: head.kernel,
    xen: head.xen,
    source: head.source,
    hasLayers,
    prices: Object.fromEntries(prices),
    unpriced: Object.fromEntries(
      FITTED_KINDS.flatMap((kind) =>
        families.get(kind)?.size === 1 ? [[kind, [...families.get(kind)!][0]!]] : []
      ),
    ),
    sizes: [...new Set(observations.map(({ n }) => n))].sort((a, b) => a - b),
    without: Object.fromEntries(names.map((name, i) => [name, changes(kinds, whole, without[i]!)])),
    withoutSize: Object.fromEntries(sizes.map((n, i) => [n, changes(kinds, whole, withoutSizes[i]!)])),
  };
}

/** Prices over all layers that differ from those of the whole fit. */
function changes(
  kinds: readonly CostKind[],
  whole: Prices,
  prices: Prices,
): Partial<Record<CostKind, number>> {
  return Object.fromEntries(kinds.flatMap((kind, k) => {
    const total = round(sumOf(prices, k));
    return total === round(sumOf(whole, k)) ? [] : [[kind, Number(total.toFixed(1))] as const];
  }));
}

/** Sizes between the least and the largest of at least one bench. */
export function innerSizes(observations: readonly Pick<Observation, "bench" | "n">[]): number[] {
  const byBench = new Map<string, number[]>();
  for (const { bench, n } of observations) byBench.set(bench, [...byBench.get(bench) ?? [], n]);
  const inner = [...byBench.values()].flatMap((sizes) => {
    const least = Math.min(...sizes);
    const most = Math.max(...sizes);
    return sizes.filter((n) => n > least && n < most);
  });
  return [...new Set(inner)].sort((a, b) => a - b);
}

interface Usable {
  readonly fitted: readonly Observation[];
  readonly kinds: readonly CostKind[];
  /** Benches by event, in all observations. */
  readonly families: Map<CostKind, Set<string>>;
}

/** Events of two benches or more, and the rows in which no other event happens. */
function usable(observations: readonly Observation[]): Usable {
  const families = familiesByKind(observations);
  let fitted = observations;
  for (;;) {
    const now = familiesByKind(fitted);
    const kinds = FITTED_KINDS.filter((kind) => (now.get(kind)?.size ?? 0) >= 2);
    const left = fitted.filter(({ counts }) =>
      FITTED_KINDS.every((kind) => (counts[kind] ?? 0) === 0 || kinds.includes(kind))
    );
    if (left.length === fitted.length) return { fitted, kinds, families };
    fitted = left;
  }
}

type Prices = Readonly<Record<CostLayer, Float64Array>>;

function familiesByKind(observations: readonly Observation[]): Map<CostKind, Set<string>> {
  const families = new Map<CostKind, Set<string>>();
  for (const { bench, counts } of observations) {
    for (const kind of FITTED_KINDS) {
      if ((counts[kind] ?? 0) === 0) continue;
      if (!families.has(kind)) families.set(kind, new Set());
      families.get(kind)!.add(benchFamily(bench));
    }
  }
  return families;
}

/** What a price is expected to be, and how far off it may well be. */
interface Expectation {
  readonly price: number;
  readonly scale: number;
}

type Expected = (kind: CostKind) => Expectation;

function expectedPrice(kind: CostKind, relative?: InstructionList, leftOut?: string): Expectation {
  const size = EXPECTED_INSTRUCTIONS[PRICE_CLASSES[kind] as keyof typeof EXPECTED_INSTRUCTIONS];
  const known = relative?.prices[kind];
  if (known === undefined) return { price: size, scale: size };
  const { user, kernel, xen } = known.per;
  const price = relative?.without[leftOut ?? ""]?.[kind] ?? user + kernel + xen;
  return { price, scale: 0.3 * Math.max(price, size) };
}

function fitLayers(
  rows: readonly Observation[],
  kinds: readonly CostKind[],
  hasLayers: boolean,
  expected: Expected,
): Prices {
  const none = new Float64Array(kinds.length);
  if (!hasLayers) return { user: none, kernel: fitOne(rows, kinds, expected, wholeRow), xen: none };
  const byLayer = rows.filter(({ layers }) => layers !== undefined);
  const fitLayer = (layer: CostLayer, rows: readonly Observation[], ownOf: (row: Observation) => number) => {
    const own = kinds.filter((kind) => mayCostIn(kind, layer));
    const prices = fitOne(rows, own, expected, ownOf);
    return Float64Array.from(kinds, (kind) => own.includes(kind) ? prices[own.indexOf(kind)]! : 0);
  };
  const user = fitLayer("user", byLayer, (row) => ownOf(row, "user"));
  const xen = byLayer.some(({ layers }) => layers!.xen > 0)
    ? fitLayer("xen", byLayer, (row) => ownOf(row, "xen"))
    : none;
  // Where only the whole is known, what the other layers cost by these prices is taken off.
  const kernel = fitLayer(
    "kernel",
    rows,
    (row) =>
      row.layers === undefined
        ? wholeRow(row) - explained(row, kinds, user) - explained(row, kinds, xen)
        : ownOf(row, "kernel"),
  );
  return { user, kernel, xen };
}

/** Ways into the kernel: user and Xen execute instructions for them, too. */
const CROSSINGS: ReadonlySet<CostKind> = new Set(["syscall", "fault_entry"]);
/** What a PV kernel does to page tables without a hypercall ends in Xen all the same. */
const TRAPPED: ReadonlySet<CostKind> = new Set(["pte_write", "table_alloc", "table_free"]);

/** In which layers an event can cost instructions: where it happens, and where it is asked for. */
function mayCostIn(kind: CostKind, layer: CostLayer): boolean {
  const where = COST_KINDS[kind].layer;
  if (layer === "user") return where === "user" || CROSSINGS.has(kind) || kind === "file_call";
  if (layer === "kernel") return where !== "user";
  return where === "xen" || where === "hw" || CROSSINGS.has(kind) || TRAPPED.has(kind);
}

/** Instructions that prices must explain: all but the iterations. */
function wholeRow({ total, counts, cpu, kernel: release }: Observation): number {
  const { user, kernel, xen } = repIterations(counts, cpu, release);
  return total - user - kernel - xen;
}

function ownOf({ layers, counts, cpu, kernel }: Observation, layer: CostLayer): number {
  return layers![layer] - repIterations(counts, cpu, kernel)[layer];
}

function fitOne(
  rows: readonly Observation[],
  kinds: readonly CostKind[],
  expected: Expected,
  ownOf: (row: Observation) => number,
): Float64Array {
  const own = rows.map(ownOf);
  const scale = rows.map(({ total }) => 1 / Math.max(total, LEAST_TOTAL));
  let weights = scale;
  let x: Float64Array = new Float64Array(kinds.length);
  for (let round = 0; round < ROUNDS; round++) {
    x = solveNonNegative(...normalEquations(rows, kinds, expected, own, weights));
    weights = rows.map((row, i) => {
      const error = Math.abs(explained(row, kinds, x) - own[i]!) * scale[i]!;
      return scale[i]! / Math.sqrt(Math.max(error, SMALL_ERROR));
    });
  }
  return x;
}

function explained({ counts }: Observation, kinds: readonly CostKind[], x: Float64Array): number {
  let sum = 0;
  kinds.forEach((kind, k) => sum += (counts[kind] ?? 0) * x[k]!);
  return sum;
}

/** AᵀWA and AᵀWy, with the expected sizes as weak further rows. */
function normalEquations(
  rows: readonly Observation[],
  kinds: readonly CostKind[],
  expected: Expected,
  own: readonly number[],
  weights: readonly number[],
): [Float64Array[], Float64Array] {
  const matrix = kinds.map(() => new Float64Array(kinds.length));
  const target = new Float64Array(kinds.length);
  rows.forEach(({ counts }, i) => {
    const w = weights[i]! ** 2;
    const happens = kinds.flatMap((kind, k) => {
      const n = counts[kind] ?? 0;
      return n === 0 ? [] : [[k, n] as const];
    });
    for (const [k, n] of happens) {
      target[k]! += w * n * own[i]!;
      const row = matrix[k]!;
      for (const [j, m] of happens) row[j]! += w * n * m;
    }
  });
  kinds.forEach((kind, k) => {
    const { price, scale } = expected(kind);
    const weight = EXPECTATION_WEIGHT * rows.length / scale ** 2;
    matrix[k]![k]! += weight;
    target[k]! += weight * price;
  });
  return [matrix, target];
}

function relativeError(row: Observation, kinds: readonly CostKind[], prices: Prices): number {
  let sum = 0;
  for (const layer of COST_LAYERS) sum += explained(row, kinds, prices[layer]);
  return Math.abs(sum - wholeRow(row)) / row.total;
}

function sumOf(prices: Prices, k: number): number {
  return prices.user[k]! + prices.kernel[k]! + prices.xen[k]!;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.floor((sorted.length - 1) / 2)]!;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
