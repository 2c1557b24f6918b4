/**
 * TLB flushes: which CPUs, by what means, and when a grant unmap asks for one.
 *
 * Xen keeps a clock that ticks with every flush of a CPU. A frame remembers the time its last use of a type ended; a
 * CPU that has flushed since cannot hold a translation from that use, so a type change leaves it out.
 *
 * @cite xen 4.17 xen/arch/x86/flushtlb.c pre_flush
 * @cite xen 4.17 xen/arch/x86/smp.c flush_area_mask
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { EV } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY } from "../x86/pte.ts";
import type { Domain } from "./domain.ts";

/** What Xen needs of a physical CPU. `lib/x86`'s `Cpu` has this shape. */
export interface PhysicalCpu {
  /** Drops the whole TLB, global entries and every PCID included. */
  flushAll(): void;
  /** Drops the translations of one linear address, given as signed 32-bit halves. */
  invlpg(hi: number, lo: number): void;
}

/** Flushes CPUs and keeps their times. */
export class TlbFlusher extends Shown {
  readonly #cpus: readonly PhysicalCpu[];
  readonly #trace: Trace;
  readonly #time: Float64Array;
  #clock = 1;

  constructor(cpus: readonly PhysicalCpu[], trace: Trace) {
    super();
    this.#cpus = cpus;
    this.#trace = trace;
    this.#time = new Float64Array(cpus.length).fill(1);
  }

  /** The clock, for stamps. */
  get now(): number {
    return this.#clock;
  }

  /** The clock and the time of each CPU's last flush, for saving. */
  times(): number[] {
    return [this.#clock, ...this.#time];
  }

  /** Puts saved times back. */
  restore(times: ArrayLike<number>): void {
    this.#clock = times[0]!;
    for (let cpu = 0; cpu < this.#time.length; cpu++) this.#time[cpu] = times[cpu + 1]!;
  }

  /** Flushes one CPU, from that CPU itself. @cite xen 4.17 xen/arch/x86/flushtlb.c flush_area_local */
  flushLocal(cpu: number): void {
    this.#time[cpu] = ++this.#clock;
    this.#cpus[cpu]!.flushAll();
  }

  /**
   * Flushes a set of CPUs: `from` does its own part, every other one gets an interrupt.
   *
   * @cite xen 4.17 xen/arch/x86/smp.c flush_area_mask
   */
  flushMask(mask: Iterable<number>, from: number): void {
    this.#trace.one(EV.flush_tlb_mask);
    for (const cpu of mask) {
      if (cpu !== from) this.#trace.one(EV.ipi);
      this.flushLocal(cpu);
    }
  }

  /** Drops one linear address on a set of CPUs. @cite xen 4.17 xen/arch/x86/include/asm/flushtlb.h flush_tlb_one_mask */
  flushOneMask(mask: Iterable<number>, from: number, linear: number): void {
    this.#trace.one(EV.flush_tlb_mask);
    for (const cpu of mask) {
      if (cpu !== from) this.#trace.one(EV.ipi);
      this.flushOneLocal(cpu, linear);
    }
  }

  /** Drops one linear address on one CPU, from that CPU itself. */
  flushOneLocal(cpu: number, linear: number): void {
    this.#cpus[cpu]!.invlpg(Math.floor(linear / 2 ** 32) | 0, linear % 2 ** 32 | 0);
  }

  /** The CPUs of `mask` that have not flushed since `stamp`. @cite xen 4.17 xen/arch/x86/include/asm/flushtlb.h tlbflush_filter */
  filter(mask: Iterable<number>, stamp: number): number[] {
    return [...mask].filter((cpu) => this.#time[cpu]! <= stamp);
  }

  override [viewOf](): View {
    return { line: `TLB flushes of ${this.#cpus.length} CPUs, clock ${this.#clock}` };
  }
}

/** When a grant unmap flushes. */
export interface FlushPolicy {
  readonly name: string;
  /** Operations of one first pass. */
  readonly batchSize: number;
  /** Packed page-table flags that a grant mapping begins with, accessed and dirty or not. */
  readonly grantPteFlags: number;
  /**
   * Between the two passes.
   *
   * @param anyAccessed a page walk had used one of the entries that the first pass took away
   */
  betweenPasses(tlb: TlbFlusher, mapper: Domain, anyAccessed: boolean): void;
}

/**
 * One flush per batch of 32, always, even if every operation failed; to every CPU that may hold translations of the
 * mapper. The entries begin accessed and dirty, so a test of those bits would say nothing.
 *
 * @cite xen 4.17 xen/common/grant_table.c GNTTAB_UNMAP_BATCH_SIZE
 */
export const flushPerBatch: FlushPolicy = Object.freeze({
  name: "per_batch",
  batchSize: 32,
  grantPteFlags: _PAGE_ACCESSED | _PAGE_DIRTY,
  betweenPasses: gnttabFlushTlb,
});

/** What batching saves: a flush after every operation. Never in any release; for comparison. */
export const flushPerOp: FlushPolicy = Object.freeze({
  ...flushPerBatch,
  name: "per_op",
  batchSize: 1,
});

/**
 * The proposal that was never merged: grant mappings begin with the accessed bit clear, and a batch none of whose
 * entries a page walk has used is not flushed.
 *
 * @cite list 2014-10-13 draft B
 */
export const flushIfAccessed: FlushPolicy = Object.freeze({
  name: "if_accessed",
  batchSize: 32,
  grantPteFlags: 0,
  betweenPasses: (tlb: TlbFlusher, mapper: Domain, anyAccessed: boolean) => {
    if (anyAccessed) gnttabFlushTlb(tlb, mapper);
  },
});

/** All policies by name. */
export const FLUSH_POLICIES = Object.freeze({
  per_batch: flushPerBatch,
  per_op: flushPerOp,
  if_accessed: flushIfAccessed,
});

/** Flushes the mapper's TLBs; those of a translated one were flushed entry by entry. @cite xen 4.17 xen/common/grant_table.c gnttab_flush_tlb */
export function gnttabFlushTlb(tlb: TlbFlusher, mapper: Domain): void {
  if (!mapper.external) tlb.flushMask(mapper.dirtyCpus, mapper.vcpu.cpu);
}
