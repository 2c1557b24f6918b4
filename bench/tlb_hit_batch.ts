/**
 * Translating arrays of addresses that are all in the first-level TLB.
 *
 * @module
 */

import { ACCESS_READ } from "../lib/x86/access.ts";
import { batchResult, translateBatch } from "../lib/x86/batch.ts";
import type { BenchCase } from "./bench_case.ts";
import { ADDRESSES, inC, mmuWorld } from "./mmu_world.ts";

const bench: BenchCase = {
  about: "arrays of 65536 addresses in 48 pages, all in the first-level TLB",
  unit: "access",
  n: ADDRESSES * 100,
  yardstick: "C",
  goals: { grantlab: 2.2 },
  native: { C: inC("batch") },
  subjects: {
    grantlab: () => {
      const { cpu, mem, hi, lo } = mmuWorld(48);
      const result = batchResult(ADDRESSES);
      return (n) => {
        let sum = 0;
        for (let done = 0; done < n; done += ADDRESSES) {
          sum += translateBatch(cpu, mem, hi, lo, ACCESS_READ, result);
          sum += result.paLo[done % ADDRESSES]! + result.paLo[ADDRESSES - 1]!;
        }
        return sum;
      };
    },
  },
};

export default bench;
