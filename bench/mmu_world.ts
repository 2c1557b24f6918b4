/**
 * The machine that the benchmarks of the MMU share with `bench/c/mmu.c`: the same pages, the same addresses in the
 * same order, a user at CPL 3. The checksums say whether both still do the same.
 *
 * @module
 */

import { mfn } from "../lib/core/frames.ts";
import { Trace } from "../lib/trace/trace.ts";
import { Cpu } from "../lib/x86/cpu.ts";
import { PageTable } from "../lib/x86/page_table.ts";
import { PhysMem } from "../lib/x86/phys_mem.ts";
import type { CachesChoice } from "../lib/x86/tlb_presets.ts";
import type { NativeSubject } from "./bench_case.ts";

/** How many addresses are gone through in turn. */
export const ADDRESSES = 65536;
const BASE = 0x7f00_0000_0000;

/** A processor, its memory, and addresses to access. */
export interface MmuWorld {
  readonly cpu: Cpu;
  readonly mem: PhysMem;
  readonly hi: Int32Array;
  readonly lo: Int32Array;
  /** The same addresses as numbers. */
  readonly va: Float64Array;
}

/** `pages` consecutive pages mapped, addresses spread over them. */
export function mmuWorld(pages: number, tlb: CachesChoice = "skylake"): MmuWorld {
  const mem = new PhysMem(1 << 20);
  let next = 1;
  const tables = new PageTable(mem, { allocate: () => mfn(next++) });
  for (let i = 0; i < pages; i++) tables.map(BASE + i * 4096, mfn(0x10000 + i));
  const cpu = new Cpu({ trace: new Trace(), tlb, registers: { root: tables.root, cpl: 3 } });
  const hi = new Int32Array(ADDRESSES);
  const lo = new Int32Array(ADDRESSES);
  const va = new Float64Array(ADDRESSES);
  let x = 1;
  for (let i = 0; i < ADDRESSES; i++) {
    x = Math.imul(x, 1664525) + 1013904223 | 0;
    va[i] = BASE + ((x >>> 8) % pages) * 4096 + (x >>> 20 & 0xff8);
    hi[i] = Math.floor(va[i]! / 2 ** 32);
    lo[i] = va[i]! % 2 ** 32 | 0;
  }
  return { cpu, mem, hi, lo, va };
}

/** The C program's case of that name. */
export function inC(name: string, ...flags: string[]): NativeSubject {
  return { source: "bench/c/mmu.c", args: [name], flags };
}
