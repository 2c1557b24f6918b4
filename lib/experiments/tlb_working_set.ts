/**
 * How many references to page tables an access costs as the working set grows past what the TLBs hold: pages of a
 * region are read in random order, and the entries that walks read are counted.
 *
 * @module
 */

import { knownOptions } from "../core/options.ts";
import { type Mfn, mfn, splitVaddr } from "../core/frames.ts";
import { PAGE_SIZE } from "../core/geometry.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { Rng } from "../core/rng.ts";
import { Trace } from "../trace/trace.ts";
import { ACCESS_READ } from "../x86/access.ts";
import { batchResult, translateBatch } from "../x86/batch.ts";
import { Cpu } from "../x86/cpu.ts";
import { PAGE_SIZES, type PageSizeName, PageTable } from "../x86/page_table.ts";
import { PhysMem } from "../x86/phys_mem.ts";
import { cachesOf, type TlbPresetName } from "../x86/tlb_presets.ts";
import { lookUp } from "../core/nearest.ts";

const START = 0x7f00_0000_0000;
const MOST_PAGES = 2 ** 18;

/** One geometry at one working-set size. */
export interface TlbWorkingSetRow {
  /** Preset of TLBs. */
  readonly tlb: string;
  /** Pages of 4 KiB in the working set. */
  readonly pages: number;
  readonly bytes: number;
  readonly pageSize: string;
  /** Entries of page tables read, per access. */
  readonly referencesPerAccess: number;
  /** Share of accesses that a first-level TLB answered, a second-level TLB, and none. */
  readonly firstLevel: number;
  readonly secondLevel: number;
  readonly walks: number;
}

/** Parameters. */
export interface TlbWorkingSetOptions {
  /** Geometries compared. */
  readonly tlbs?: readonly TlbPresetName[];
  /** Working sets in pages of 4 KiB. Default 16 … 65536, doubling. */
  readonly sizes?: readonly number[];
  /** Size of the pages that map the region. */
  readonly pageSize?: PageSizeName;
  /** Accesses measured at each size, after as many to warm up. */
  readonly accesses?: number;
  /** Of the order of accesses. */
  readonly seed?: number;
}

const KNOWN: Readonly<Record<keyof TlbWorkingSetOptions, true>> = {
  tlbs: true,
  sizes: true,
  pageSize: true,
  accesses: true,
  seed: true,
};

const DOUBLING: readonly number[] = Array.from({ length: 13 }, (_, i) => 16 * 2 ** i);

/**
 * Runs the experiment: a row per geometry and size.
 *
 * @throws {RangeError} if a size is not 1 … 262144 pages, or a preset or page size is unknown
 *
 * @example
 * ```ts
 * import { tlbWorkingSet } from "grantlab/experiments";
 * const [small, large] = tlbWorkingSet({ tlbs: ["skylake"], sizes: [16, 8192], accesses: 4096 });
 * if (small!.referencesPerAccess !== 0 || large!.referencesPerAccess < 0.5) throw new Error();
 * ```
 */
export function tlbWorkingSet(options: TlbWorkingSetOptions = {}): TlbWorkingSetRow[] {
  knownOptions("tlbWorkingSet()", options, KNOWN);
  const { tlbs = ["skylake", "zen2"], sizes = DOUBLING, pageSize = "4K", accesses = 32768, seed = 1 } =
    options;
  for (const tlb of tlbs) cachesOf(tlb);
  lookUp("page size", PAGE_SIZES, pageSize);
  wholeNumber("measure accesses", accesses, 1, 2 ** 22);
  if (sizes.length === 0) throw outOfRange("measure working sets", sizes, "there must be at least one size");
  for (const pages of sizes) wholeNumber("measure a working set of pages", pages, 1, MOST_PAGES);
  const { mem, root } = region(Math.max(...sizes), pageSize);
  return tlbs.flatMap((tlb) =>
    sizes.map((pages) => {
      const cpu = new Cpu({ trace: new Trace(), tlb, registers: { root, cpl: 3 } });
      const rng = new Rng(seed);
      const hi = new Int32Array(accesses);
      const lo = new Int32Array(accesses);
      const result = batchResult(accesses);
      const round = () => {
        for (let i = 0; i < accesses; i++) {
          [hi[i], lo[i]] = splitVaddr(START + rng.below(pages) * PAGE_SIZE);
        }
        translateBatch(cpu, mem, hi, lo, ACCESS_READ, result);
      };
      touchAll(cpu, mem, pages);
      round();
      const mark = cpu.trace.mark();
      round();
      const { walk_step = 0, tlb_miss = 0, stlb_hit = 0 } = cpu.trace.since(mark);
      return {
        tlb,
        pages,
        bytes: pages * PAGE_SIZE,
        pageSize,
        referencesPerAccess: walk_step / accesses,
        firstLevel: (accesses - tlb_miss - stlb_hit) / accesses,
        secondLevel: stlb_hit / accesses,
        walks: tlb_miss / accesses,
      };
    })
  );
}

/** Each page once, so that no walk afterwards is the first of its page. */
function touchAll(cpu: Cpu, mem: PhysMem, pages: number): void {
  const hi = new Int32Array(pages);
  const lo = new Int32Array(pages);
  for (let i = 0; i < pages; i++) [hi[i], lo[i]] = splitVaddr(START + i * PAGE_SIZE);
  translateBatch(cpu, mem, hi, lo, ACCESS_READ, batchResult(pages));
}

/** A region of at least that many 4 KiB pages, mapped by pages of the size asked for. */
function region(pages: number, size: PageSizeName): { mem: PhysMem; root: Mfn } {
  const perPage = { "4K": 1, "2M": 2 ** 9, "1G": 2 ** 18 }[size];
  const mem = new PhysMem(2 ** 21);
  let next = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(next++) });
  tables.map(START, mfn(2 ** 20), { size, pages: Math.ceil(pages / perPage) });
  return { mem, root: tables.root };
}
