/**
 * Looking an address up among 100 000 VMAs.
 *
 * @module
 */

import type { BenchCase } from "./bench_case.ts";
import { finding, vmaInC } from "./vma_world.ts";

const VMAS = 100_000;

const bench: BenchCase = {
  about: "the VMA of an address, among 100 000",
  unit: "look-up",
  n: 1_000_000,
  yardstick: "C",
  goals: { grantlab: 1.6 },
  native: { C: vmaInC("find", VMAS) },
  subjects: { grantlab: () => finding(VMAS) },
};

export default bench;
