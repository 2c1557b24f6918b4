/**
 * Prices of events that explain measured amounts best: non-negative least squares of relative errors, large ones counting
 * less than their square (reweighted in rounds), so that one row that the events explain badly does not bend all
 * prices. What the rows cannot decide is settled by what each price is expected to be, with a weight that yields wherever
 * they can: beyond its scale a price far from what was expected counts by its distance, not by the square, so that one
 * that has really moved is let go and the others stay.
 *
 * @module
 */

import { solveNonNegative } from "./nnls.ts";
import type { CostCounts, CostKind } from "./operations.ts";

/** A row to fit to. */
export interface FitRow {
  readonly counts: CostCounts;
  /** What errors are relative to. */
  readonly total: number;
}

/** What a price is expected to be, and how far off it may well be. */
export interface Expectation {
  readonly price: number;
  readonly scale: number;
}

/** Expectation of each event. */
export type Expected = (kind: CostKind) => Expectation;

/** Weight of the expected sizes against the recordings, per row. */
const EXPECTATION_WEIGHT = 1.5e-4;
const ROUNDS = 6;
/** Below this error (relative) a row counts with its square. */
const SMALL_ERROR = 0.01;
/** Instructions below which a total counts as this much: no row is measured more exactly. */
const LEAST_TOTAL = 30;

/**
 * Prices of `kinds`, in their order.
 *
 * @param ownOf the part of a row's amount that these prices must explain
 */
export function fitPrices<R extends FitRow>(
  rows: readonly R[],
  kinds: readonly CostKind[],
  expected: Expected,
  ownOf: (row: R) => number,
): Float64Array {
  const own = rows.map(ownOf);
  const scale = rows.map(({ total }) => 1 / Math.max(total, LEAST_TOTAL));
  let weights = scale;
  let x: Float64Array = new Float64Array(kinds.length);
  // How much farther than its scale each price is from what was expected.
  let surprise = kinds.map(() => 1);
  for (let round = 0; round < ROUNDS; round++) {
    x = solveNonNegative(...normalEquations(rows, kinds, expected, surprise, own, weights));
    surprise = kinds.map((kind, k) => {
      const { price, scale } = expected(kind);
      return Math.max(1, Math.abs(x[k]! - price) / scale);
    });
    weights = rows.map((row, i) => {
      const error = Math.abs(explained(row, kinds, x) - own[i]!) * scale[i]!;
      return scale[i]! / Math.sqrt(Math.max(error, SMALL_ERROR));
    });
  }
  return x;
}

/** What prices make of a row. */
export function explained(
  { counts }: Pick<FitRow, "counts">,
  kinds: readonly CostKind[],
  x: Float64Array,
): number {
  let sum = 0;
  kinds.forEach((kind, k) => sum += (counts[kind] ?? 0) * x[k]!);
  return sum;
}

/** AᵀWA and AᵀWy, with the expected sizes as weak further rows. */
function normalEquations(
  rows: readonly FitRow[],
  kinds: readonly CostKind[],
  expected: Expected,
  surprise: readonly number[],
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
    const weight = EXPECTATION_WEIGHT * rows.length / scale ** 2 / surprise[k]!;
    matrix[k]![k]! += weight;
    target[k]! += weight * price;
  });
  return [matrix, target];
}
