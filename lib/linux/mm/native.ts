/**
 * A machine that runs Linux and nothing else: memory, processors, one kernel. The smallest world in which the calls
 * of this layer work.
 *
 * @module
 */

import { Trace } from "../../trace/trace.ts";
import { Cpu } from "../../x86/cpu.ts";
import { PhysMem } from "../../x86/phys_mem.ts";
import { CR4_PAE, CR4_PGE, CR4_PKE } from "../../x86/registers.ts";
import { mm6_1 } from "./flavour_6_1.ts";
import type { MmFlavour } from "./flavour.ts";
import { noForeignPages } from "./foreign_none.ts";
import { gupFastGeneric } from "./gup_fast/generic.ts";
import { MmStruct } from "./mm_struct.ts";
import { MmSystem } from "./mm_system.ts";
import { MemMap } from "./page.ts";

/** What a native machine is made of. */
export interface NativeOptions {
  /** Page frames of 4 KiB; default 131072 = 512 MiB. They cost nothing until written. */
  readonly frames?: number;
  /** Default: Linux 6.1 without foreign pages. */
  readonly flavour?: MmFlavour;
  readonly trace?: Trace;
  /** Processors; default 1. */
  readonly nrCpus?: number;
  /** Whether they have protection keys; default true. */
  readonly hasPkeys?: boolean;
  /** Huge pages of 2 MiB set aside for MAP_HUGETLB; default 0. */
  readonly hugePages?: number;
}

/** A running native kernel. */
export interface NativeLinux {
  readonly system: MmSystem;
  readonly trace: Trace;
  /** A process without any mapping. */
  process(): MmStruct;
}

/**
 * Assembles a native machine.
 *
 * @throws {RangeError} if `frames` is above the budget `domainFrames`
 *
 * @example
 * ```ts
 * import { exitMmap, nativeLinux } from "grantlab/linux/mm";
 * const linux = nativeLinux({ frames: 1024 });
 * const free = linux.system.memMap.nrFree;
 * const mm = linux.process();
 * exitMmap(mm);
 * if (linux.system.memMap.nrFree !== free) throw new Error();
 * ```
 */
export function nativeLinux(options: NativeOptions = {}): NativeLinux {
  const { frames = 131072, trace = new Trace(), nrCpus = 1, hasPkeys = true, hugePages = 0 } = options;
  const memMap = new MemMap(trace, frames);
  const mem = new PhysMem(frames);
  const cr4 = CR4_PAE | CR4_PGE | (hasPkeys ? CR4_PKE : 0);
  const cpus = Array.from({ length: nrCpus }, () => new Cpu({ trace, registers: { cr4 } }));
  const flavour = options.flavour ?? { ...mm6_1, gupFast: gupFastGeneric, foreign: noForeignPages };
  const system = new MmSystem({ mem, trace, memMap, cpus, flavour, hugePages });
  return { system, trace, process: () => new MmStruct(system) };
}
