/**
 * How many entries a page walk reads: by the processor alone, and under EPT, where each of the guest's steps is a walk
 * itself. By levels of the guest and by page size in both dimensions, without any cache.
 *
 * @cite sdm 3C 29.3 the extended page table mechanism
 * @module
 */

import { maddrOf, type Mfn, mfn } from "../core/frames.ts";
import { lookUp } from "../core/nearest.ts";
import { Trace } from "../trace/trace.ts";
import { ACCESS_READ, AccessResult, OUTCOME_OK } from "../x86/access.ts";
import { Cpu } from "../x86/cpu.ts";
import { ept } from "../x86/ept.ts";
import { translate } from "../x86/mmu.ts";
import { NestedResult } from "../x86/nested_access.ts";
import { nestedWalk as walkBoth } from "../x86/nested_walk.ts";
import { PAGE_SIZES, type PageSizeName, PageTable } from "../x86/page_table.ts";
import { PhysMem } from "../x86/phys_mem.ts";
import { CR4_LA57, CR4_PAE } from "../x86/registers.ts";
import { nameAxis, numberAxis } from "./axis.ts";
import { type Experiment, experiment } from "./experiment.ts";

const FRAMES = 2 ** 20;
/** The guest's page, 1 GiB aligned so that every size fits. */
const DATA = 0x40000;
/** First frame of the EPT. */
const EPT_BASE = 0x80000;
/** Readable, writable, executable; write-back. */
const EPT_LEAF = 0x37;

/** Tables of one or of two dimensions. */
export const DIMENSIONS: Readonly<Record<string, boolean>> = Object.freeze({ native: false, ept: true });

/** The experiment. */
export const nestedWalk: Experiment = experiment({
  name: "nested_walk",
  question: "How many references does a page walk make, native and under EPT?",
  axes: {
    tables: nameAxis("dimension", DIMENSIONS),
    levels: numberAxis("levels of the guest's tables", [4, 5], { from: 4, to: 5 }),
    page: nameAxis("page size", PAGE_SIZES),
    nestedPage: nameAxis("page size of the nested tables", PAGE_SIZES),
  },
  run({ tables, levels, page, nestedPage }) {
    const mem = new PhysMem(FRAMES);
    let next = 1;
    const own = new PageTable(mem, { allocate: () => mfn(next++), levels: levels as 4 | 5 });
    own.map(0, mfn(DATA), { size: lookUp("page size", PAGE_SIZES, page) && page as PageSizeName });
    const trace = new Trace();
    const cr4 = CR4_PAE | (levels === 5 ? CR4_LA57 : 0);
    const cpu = new Cpu({ trace, tlb: "plain", registers: { root: own.root, cpl: 3, cr4 } });
    const out = new AccessResult();
    const outcome = DIMENSIONS[tables]
      ? walkBoth(
        { cpu, nested: ept(identity(mem, nestedPage as PageSizeName)), mem },
        0,
        0,
        ACCESS_READ,
        out,
        new NestedResult(),
      )
      : translate(cpu, mem, 0, 0, ACCESS_READ, out);
    if (outcome !== OUTCOME_OK) throw new Error(`the walk ends in outcome ${outcome}`);
    const events = trace.since(new Float64Array(trace.counters.length));
    const references = (events.walk_step ?? 0) + (events.nested_step ?? 0);
    return [{ amounts: { references }, events }];
  },
  figure: {
    kind: "lines",
    x: "page",
    series: "tables",
    y: "references",
    where: { levels: 4, nestedPage: "4K" },
    title: "References of one page walk, no cache",
  },
});

/** An EPT that maps the guest's tables and its page one to one; answers its root. */
function identity(mem: PhysMem, size: PageSizeName): Mfn {
  let next = EPT_BASE;
  const tables = new PageTable(mem, { allocate: () => mfn(next++) });
  const perPage = { "4K": 1, "2M": 2 ** 9, "1G": 2 ** 18 }[size];
  for (const [first, pages] of [[0, 16], [DATA, 1]] as const) {
    tables.map(maddrOf(mfn(first), 0), mfn(first), {
      size,
      flags: EPT_LEAF,
      pages: Math.ceil(pages / perPage),
    });
  }
  return tables.root;
}
