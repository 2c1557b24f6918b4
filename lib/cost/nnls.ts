/**
 * Non-negative least squares on normal equations: the x ≥ 0 that minimises ½ xᵀGx − bᵀx for a symmetric positive definite
 * G. The active-set method of Lawson and Hanson in the form of Bro and de Jong.
 *
 * @module
 */

/** @param matrix rows of G, symmetric positive definite @param target b */
export function solveNonNegative(matrix: readonly Float64Array[], target: Float64Array): Float64Array {
  const n = target.length;
  const x = new Float64Array(n);
  const passive: number[] = [];
  const tolerance = 1e-9 * Math.max(1, ...target.map(Math.abs));
  for (let steps = 0; steps < 10 * n; steps++) {
    const next = steepest(matrix, target, x, passive, tolerance);
    if (next < 0) return x;
    passive.push(next);
    while (passive.length > 0) {
      const solution = solve(matrix, target, passive);
      const shrink = limit(x, solution, passive);
      if (shrink === 1) {
        passive.forEach((k, i) => x[k] = solution[i]!);
        break;
      }
      passive.forEach((k, i) => x[k] = x[k]! + shrink * (solution[i]! - x[k]!));
      for (let i = passive.length - 1; i >= 0; i--) {
        if (x[passive[i]!]! > 1e-12) continue;
        x[passive[i]!] = 0;
        passive.splice(i, 1);
      }
    }
  }
  return x;
}

/** The variable at zero that lowers the sum fastest, or -1. */
function steepest(
  matrix: readonly Float64Array[],
  target: Float64Array,
  x: Float64Array,
  passive: readonly number[],
  tolerance: number,
): number {
  let best = -1;
  let most = tolerance;
  for (let k = 0; k < target.length; k++) {
    if (passive.includes(k)) continue;
    const row = matrix[k]!;
    let gain = target[k]!;
    for (let j = 0; j < x.length; j++) gain -= row[j]! * x[j]!;
    if (gain > most) {
      most = gain;
      best = k;
    }
  }
  return best;
}

/** How far towards the solution nothing becomes negative: 1 = all the way. */
function limit(x: Float64Array, solution: Float64Array, passive: readonly number[]): number {
  let far = 1;
  passive.forEach((k, i) => {
    if (solution[i]! <= 0) far = Math.min(far, x[k]! / (x[k]! - solution[i]!));
  });
  return far;
}

/** The unconstrained solution of the passive variables, by Cholesky. */
function solve(
  matrix: readonly Float64Array[],
  target: Float64Array,
  passive: readonly number[],
): Float64Array {
  const n = passive.length;
  const lower = passive.map(() => new Float64Array(n));
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const row = lower[i]!;
    for (let j = 0; j <= i; j++) {
      let sum = matrix[passive[i]!]![passive[j]!]!;
      for (let k = 0; k < j; k++) sum -= row[k]! * lower[j]![k]!;
      row[j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / lower[j]![j]!;
    }
    let sum = target[passive[i]!]!;
    for (let k = 0; k < i; k++) sum -= row[k]! * y[k]!;
    y[i] = sum / row[i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = y[i]!;
    for (let k = i + 1; k < n; k++) sum -= lower[k]![i]! * y[k]!;
    y[i] = sum / lower[i]![i]!;
  }
  return y;
}
