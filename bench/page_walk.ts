/**
 * The page walk alone: four levels, every check, accessed and dirty bits, counters.
 *
 * @module
 */

import { ACCESS_READ, ACCESS_WRITE, AccessResult } from "../lib/x86/access.ts";
import { walk } from "../lib/x86/walk.ts";
import type { BenchCase } from "./bench_case.ts";
import { ADDRESSES, inC, mmuWorld } from "./mmu_world.ts";

const bench: BenchCase = {
  about:
    "four-level walks over 64 MiB, every check; `C, flat memory` indexes memory by frame instead of hashing",
  unit: "walk",
  n: 3_000_000,
  yardstick: "C",
  goals: { grantlab: 3.5 },
  native: { C: inC("walk"), "C, flat memory": inC("walk", "-DFLAT") },
  subjects: {
    grantlab: () => {
      const { cpu, mem, hi, lo } = mmuWorld(16384, "plain");
      const out = new AccessResult();
      return (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          const k = i % ADDRESSES;
          walk(cpu, mem, hi[k]!, lo[k]!, (i & 7) === 0 ? ACCESS_WRITE : ACCESS_READ, out);
          sum += out.frame + out.rights;
        }
        return sum;
      };
    },
  },
};

export default bench;
