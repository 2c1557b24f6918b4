/**
 * What listening costs: the whole path of the MMU with nobody listening, and with a recorder attached.
 *
 * @module
 */

import { Recorder } from "../lib/trace/record.ts";
import { ACCESS_READ, ACCESS_WRITE, AccessResult } from "../lib/x86/access.ts";
import { translate } from "../lib/x86/mmu.ts";
import type { BenchCase, BenchRun } from "./bench_case.ts";
import { ADDRESSES, type MmuWorld, mmuWorld } from "./mmu_world.ts";

function accesses({ cpu, mem, hi, lo }: MmuWorld): BenchRun {
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
}

const bench: BenchCase = {
  about: "the accesses of tlb_and_walk, every event counted; `on` records them in a ring as well",
  unit: "access",
  n: 3_000_000,
  yardstick: "off",
  goals: { on: 1.5 },
  subjects: {
    off: () => accesses(mmuWorld(4096)),
    on: () => {
      const world = mmuWorld(4096);
      new Recorder(world.cpu.trace);
      return accesses(world);
    },
  },
};

export default bench;
