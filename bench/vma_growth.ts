/**
 * What ten times as many VMAs do to cutting and joining: 1 000 000 against 100 000.
 *
 * @module
 */

import type { BenchCase } from "./bench_case.ts";
import { cutting, vmaInC } from "./vma_world.ts";

const bench: BenchCase = {
  about: "cut and join as in vma_split_merge, among ten times as many VMAs",
  unit: "pair",
  n: 300_000,
  yardstick: "10⁵ VMAs",
  goals: { "10⁶ VMAs": 4 },
  native: { "C, 10⁵ VMAs": vmaInC("cut", 100_000), "C, 10⁶ VMAs": vmaInC("cut", 1_000_000) },
  subjects: { "10⁵ VMAs": () => cutting(100_000), "10⁶ VMAs": () => cutting(1_000_000) },
};

export default bench;
