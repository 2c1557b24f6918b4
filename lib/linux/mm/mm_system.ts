/**
 * What is global in Linux's mm code and must not be global here, because two kernels may run side by side: memory,
 * `struct page`s, CPUs, the paravirt table, the flavour, the kernel log.
 *
 * @module
 */

import { Shown, viewOf } from "../../core/shown.ts";
import type { View } from "../../core/view.ts";
import { drawing } from "../../core/view.ts";
import type { Mfn } from "../../core/frames.ts";
import type { Trace } from "../../trace/trace.ts";
import type { Cpu } from "../../x86/cpu.ts";
import type { PhysMem } from "../../x86/phys_mem.ts";
import type { MmFlavour } from "./flavour.ts";
import { HugetlbPool } from "./hugetlb.ts";
import type { MmStruct } from "./mm_struct.ts";
import { LruBatch } from "./lru_batch.ts";
import type { MemMap } from "./page.ts";
import { nativeMmuOps, type PvMmuOps } from "./paravirt.ts";

/** Kinds of kernel message the model reports, as the recordings name them. */
export type KernelMessageKind = "bad-page-map" | "warning" | "oops" | "driver-message";

/** One line of the kernel log. */
export interface KernelMessage {
  readonly kind: KernelMessageKind;
  /** Kernel function that reports, verbatim. */
  readonly where: string;
  readonly text: string;
  /** Reported by deferred work, at a time that no call decides. */
  readonly fromWorker: boolean;
}

/** What {@linkcode MmSystem} is made of. */
export interface MmSystemOptions {
  readonly mem: PhysMem;
  readonly trace: Trace;
  readonly memMap: MemMap;
  readonly cpus: readonly Cpu[];
  readonly flavour: MmFlavour;
  /** Default: the bare machine. */
  readonly pv?: (system: MmSystem) => PvMmuOps;
  /** Huge pages of 2 MiB to set aside; without this the kernel has none at all, as under Xen PV. */
  readonly hugePages?: number;
  /** Called where the kernel yields the processor after a report to the (slow) console; default: nobody waits. */
  readonly condResched?: () => void;
  /** Asks whether deferred work runs just now; default: there is none. */
  readonly isInWorker?: () => boolean;
}

/** One kernel's memory management. */
export class MmSystem extends Shown {
  readonly mem: PhysMem;
  readonly trace: Trace;
  readonly memMap: MemMap;
  readonly cpus: readonly Cpu[];
  readonly flavour: MmFlavour;
  readonly pv: PvMmuOps;
  /** The kernel log, oldest first. */
  readonly log: KernelMessage[] = [];
  /** The page of zeros that reads of untouched anonymous memory map. */
  readonly zeroPage: number;
  /** New pages on their way to a list. */
  readonly lru: LruBatch;
  /** Which address space each CPU has loaded. */
  readonly current: (MmStruct | null)[];
  /** The huge pages set aside, or null where the kernel knows none. */
  readonly hugetlb: HugetlbPool | null;
  /** Address spaces that have not ended, oldest first. */
  readonly addressSpaces: Set<MmStruct> = new Set();
  /**
   * Another actor, for scripts of two: called where the fast walk of `get_user_pages` can be overtaken, after it has read
   * an entry and after it has walked.
   */
  gupRace: ((point: "entry read" | "walked", address: number) => void) | null = null;
  /** Injected failure: asked before each VMA structure; true = there is no memory for it. @cite linux 6.1 mm/failslab.c should_failslab */
  failVmaAllocation: (() => boolean) | null = null;
  /** A report was made where nobody may yield; the processor is given up as soon as somebody may. */
  owesYield = false;
  /** Yields after a report. @cite linux 6.1 include/linux/sched.h cond_resched */
  readonly condResched: () => void;
  readonly #isInWorker: () => boolean;

  constructor(options: MmSystemOptions) {
    super();
    this.mem = options.mem;
    this.trace = options.trace;
    this.memMap = options.memMap;
    this.cpus = options.cpus;
    this.flavour = options.flavour;
    this.current = options.cpus.map(() => null);
    this.condResched = options.condResched ?? (() => {});
    this.#isInWorker = options.isInWorker ?? (() => false);
    this.pv = (options.pv ?? nativeMmuOps)(this);
    this.lru = new LruBatch(options.trace, options.flavour.lru);
    if (!options.flavour.lru.drainsBeforeZap) this.memMap.freedLater = (page) => this.lru.holds(page);
    this.zeroPage = this.memMap.allocPage();
    this.hugetlb = options.hugePages === undefined
      ? null
      : new HugetlbPool(options.memMap, options.hugePages);
  }

  /**
   * Asks whether the next VMA structure can be had: always, unless a test sets {@linkcode failVmaAllocation}.
   *
   * @cite linux 6.1 kernel/fork.c vm_area_alloc
   */
  vmaAllocation(): boolean {
    return this.failVmaAllocation === null || !this.failVmaAllocation();
  }

  /** Adds a line to the kernel log. */
  printk(kind: KernelMessageKind, where: string, text: string): void {
    this.log.push({ kind, where, text, fromWorker: this.#isInWorker() });
  }

  /** Where the bytes of a page are; `write`: they are to be changed. */
  frameOf(page: number, write = false): Mfn {
    return this.pv.frameOfPage(page, write);
  }

  override [viewOf](): View {
    return {
      line:
        `mm of one kernel: ${this.memMap.nrPages} pages, ${this.memMap.nrFree} free, ${this.cpus.length} CPUs, ${this.log.length} log lines`,
      blocks: [drawing(this.log.map(({ kind, where, text }) => `${kind} ${where}: ${text}`))],
    };
  }
}
