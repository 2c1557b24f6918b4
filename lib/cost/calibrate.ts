/**
 * Calibration: prices per event from recorded instruction counts, by non-negative least squares. What happens in a run
 * comes from the model, how many instructions it took from the recording; the iterations of string instructions are
 * known by rule and taken off first.
 *
 * How the prices are found stands in `fit_prices.ts`; events that always come together share their cost by
 * {@linkcode PRICE_CLASSES}.
 *
 * An event that happens in one bench only gets no price: it would repeat the bench, not explain it. Rows in which such an
 * event happens are not fitted to, since other prices would have to make up for it.
 *
 * @module
 */

import { fitLayers, type Prices } from "./fit_layers.ts";
import { type Expectation, explained } from "./fit_prices.ts";
import { COST_LAYERS, type InstructionList, type InstructionPrice } from "./instruction_list.ts";
import { type Observation, wholeRow } from "./observation.ts";
import type { CostKind } from "./operations.ts";
import { EXPECTED_INSTRUCTIONS, FITTED_KINDS, PRICE_CLASSES } from "./price_class.ts";

/** What a list is called and where it comes from. */
export type ListHead = Pick<InstructionList, "name" | "machine" | "kernel" | "xen" | "source">;

/** How far the price of another release may well be off. */
const RELATIVE_SCALE = 0.2;

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
      [...families].filter(([kind]) => !kinds.includes(kind)).map((
        [kind, own],
      ) => [kind, [...own].join(", ")]),
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

function expectedPrice(kind: CostKind, relative?: InstructionList, leftOut?: string): Expectation {
  const size = EXPECTED_INSTRUCTIONS[PRICE_CLASSES[kind] as keyof typeof EXPECTED_INSTRUCTIONS];
  const known = relative?.prices[kind];
  if (known === undefined) return { price: size, scale: size };
  const { user, kernel, xen } = known.per;
  const price = relative?.without[leftOut ?? ""]?.[kind] ?? user + kernel + xen;
  return { price, scale: RELATIVE_SCALE * Math.max(price, size) };
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
