/**
 * The whole path: two levels of TLB, paging-structure caches, walker, counters.
 *
 * @module
 */

import { ACCESS_READ, ACCESS_WRITE, AccessResult } from "../lib/x86/access.ts";
import { translate } from "../lib/x86/mmu.ts";
import type { BenchCase } from "./bench_case.ts";
import { ADDRESSES, inC, mmuWorld } from "./mmu_world.ts";

const bench: BenchCase = {
  about: "accesses spread over 16 MiB with the TLBs of Skylake: one in three is a hit, the others walk",
  unit: "access",
  n: 3_000_000,
  yardstick: "C",
  goals: { grantlab: 2.3 },
  native: { C: inC("translate") },
  subjects: {
    grantlab: () => {
      const { cpu, mem, hi, lo } = mmuWorld(4096);
      const out = new AccessResult();
      return (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          const k = i % ADDRESSES;
          translate(cpu, mem, hi[k]!, lo[k]!, (i & 7) === 0 ? ACCESS_WRITE : ACCESS_READ, out);
          sum += out.frame;
        }
        return sum;
      };
    },
  },
};

export default bench;
