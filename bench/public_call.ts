/**
 * One call of the people's entry point: an address as a number in, an object out.
 *
 * @module
 */

import { Mmu } from "../lib/x86/mmu.ts";
import type { Translation } from "../lib/x86/translation.ts";
import type { BenchCase } from "./bench_case.ts";
import { ADDRESSES, inC, mmuWorld } from "./mmu_world.ts";

const bench: BenchCase = {
  about: "Mmu.access with an address in the TLB, which answers an object; C allocates a record and frees it",
  unit: "call",
  n: 3_000_000,
  yardstick: "C",
  goals: { grantlab: 8 },
  native: { C: inC("object") },
  subjects: {
    grantlab: () => {
      const { cpu, mem, va } = mmuWorld(48);
      const mmu = new Mmu(cpu, mem);
      return (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          const t = mmu.access(va[i % ADDRESSES]!, "read") as Translation;
          sum += t.frame + t.level;
        }
        return sum;
      };
    },
  },
};

export default bench;
