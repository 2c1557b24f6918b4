import { assertAlmostEquals } from "@std/assert";
import { solveNonNegative } from "../../../lib/cost/nnls.ts";

const TABLE: readonly { name: string; matrix: number[][]; target: number[]; expected: number[] }[] = [
  { name: "control: inside", matrix: [[2, 0], [0, 4]], target: [4, 4], expected: [2, 1] },
  { name: "one would be negative", matrix: [[1, 0], [0, 1]], target: [3, -2], expected: [3, 0] },
  { name: "coupled, one at zero", matrix: [[2, 1], [1, 2]], target: [4, 1], expected: [2, 0] },
  { name: "coupled, both inside", matrix: [[2, 1], [1, 2]], target: [4, 5], expected: [1, 2] },
  { name: "all negative", matrix: [[1, 0], [0, 1]], target: [-1, -1], expected: [0, 0] },
];

Deno.test("solveNonNegative() finds the least sum without negative values", () => {
  for (const { name, matrix, target, expected } of TABLE) {
    const x = solveNonNegative(matrix.map((row) => Float64Array.from(row)), Float64Array.from(target));
    expected.forEach((value, i) => assertAlmostEquals(x[i]!, value, 1e-9, name));
  }
});
