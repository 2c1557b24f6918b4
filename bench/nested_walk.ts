/**
 * Two-dimensional walks: four guest levels through four levels of EPT, 24 references each.
 *
 * @module
 */

import { mfn } from "../lib/core/frames.ts";
import { ACCESS_READ, ACCESS_WRITE, AccessResult } from "../lib/x86/access.ts";
import { ept } from "../lib/x86/ept.ts";
import { NestedResult } from "../lib/x86/nested_access.ts";
import { nestedWalk } from "../lib/x86/nested_walk.ts";
import { PageTable } from "../lib/x86/page_table.ts";
import type { BenchCase } from "./bench_case.ts";
import { ADDRESSES, inC, mmuWorld } from "./mmu_world.ts";

const PAGES = 16384;
/** Machine frame of guest frame 0, and the first frame of the EPT. */
const GUEST_BASE = 0x40000;
const EPT_BASE = 0x80000;
/** Readable, writable, executable; write-back. */
const EPT_LEAF = 0x37;

const bench: BenchCase = {
  about:
    "four-in-four walks over 64 MiB, EPT without accessed and dirty flags, 4 KiB pages in both dimensions",
  unit: "walk",
  n: 1_000_000,
  yardstick: "C",
  goals: { grantlab: 1.5 },
  native: { C: inC("nested") },
  subjects: {
    grantlab: () => {
      const { cpu, mem, hi, lo } = mmuWorld(PAGES, "plain");
      // The guest's tables move to where the EPT says they are.
      let guestTables = 1;
      while (mem.slotOf(guestTables) >= 0) guestTables++;
      for (let f = 1; f < guestTables; f++) {
        mem.copyFrame(mfn(GUEST_BASE + f), mfn(f));
        mem.clearFrame(mfn(f));
      }
      let next = EPT_BASE;
      const tables = new PageTable(mem, { allocate: () => mfn(next++) });
      tables.map(0, mfn(GUEST_BASE), { flags: EPT_LEAF, pages: guestTables });
      tables.map(0x10000 * 4096, mfn(GUEST_BASE + 0x10000), { flags: EPT_LEAF, pages: PAGES });
      const guest = { cpu, nested: ept(EPT_BASE), mem };
      const out = new AccessResult();
      const nested = new NestedResult();
      return (n) => {
        let sum = 0;
        for (let i = 0; i < n; i++) {
          const k = i % ADDRESSES;
          nestedWalk(guest, hi[k]!, lo[k]!, (i & 7) === 0 ? ACCESS_WRITE : ACCESS_READ, out, nested);
          sum += out.frame + out.rights;
        }
        return sum;
      };
    },
  },
};

export default bench;
