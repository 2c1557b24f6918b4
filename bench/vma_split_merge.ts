/**
 * Cutting a VMA in two and joining the halves again, in the index of 100 000 VMAs.
 *
 * @module
 */

import type { BenchCase } from "./bench_case.ts";
import { cutting, vmaInC } from "./vma_world.ts";

const VMAS = 100_000;

const bench: BenchCase = {
  about: "a VMA among 100 000 found, cut in two, found again and joined: the index alone",
  unit: "pair",
  n: 500_000,
  yardstick: "C",
  goals: { grantlab: 1.6 },
  native: { C: vmaInC("cut", VMAS) },
  subjects: { grantlab: () => cutting(VMAS) },
};

export default bench;
