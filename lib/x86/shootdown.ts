/**
 * Keeping the TLBs of several processors honest: who drops what, when, and by how many interrupts. A CPU that has not
 * paid yet keeps translating with what it has; that window is the point of the model.
 *
 * Three policies. `eager` interrupts every other CPU at once. `batched` collects, and sends one interrupt per CPU when
 * `flush` is called. `lazy` leaves idle CPUs alone until they `enter` the address space again. Above a ceiling of
 * pages a CPU reloads CR3 instead of executing INVLPG page by page; global entries then stay, as in Linux.
 *
 * Each CPU counts what it executes in its own trace; give every CPU a trace of its own to price them apart.
 *
 * @cite linux 6.1 arch/x86/mm/tlb.c flush_tlb_func
 * @cite sdm 3A 4.10.5 propagation of paging-structure changes to multiple processors
 * @module
 */

import { withinBudget } from "../core/budget.ts";
import { type Mfn, splitVaddr, type Vaddr, vaddr } from "../core/frames.ts";
import { outOfRange, wholeNumber } from "../core/misuse.ts";
import { lookUp } from "../core/nearest.ts";
import { EV } from "../trace/events.ts";
import type { Cpu } from "./cpu.ts";

/** @cite linux 6.1 arch/x86/mm/tlb.c tlb_single_page_flush_ceiling */
export const SINGLE_PAGE_FLUSH_CEILING = 33;

/** Pages to drop. */
interface Owed {
  readonly va: Vaddr;
  readonly pages: number;
}

/** When a policy makes CPUs pay what a request puts on their lists. */
export interface ShootdownPolicy {
  /** Whether the CPU that asks drops its own translations at once. */
  readonly isLocalAtOnce: boolean;
  /** Whether this CPU is interrupted at once. */
  interruptsAtOnce(isIdle: boolean): boolean;
}

/** Name of a policy. */
export type ShootdownPolicyName = "eager" | "batched" | "lazy";

/** The policies. */
export const SHOOTDOWN_POLICIES: Readonly<Record<ShootdownPolicyName, ShootdownPolicy>> = Object.freeze(
  {
    eager: { isLocalAtOnce: true, interruptsAtOnce: () => true },
    batched: { isLocalAtOnce: false, interruptsAtOnce: () => false },
    lazy: { isLocalAtOnce: true, interruptsAtOnce: (isIdle: boolean) => !isIdle },
  },
);

/**
 * The CPUs of a machine, and what each still owes.
 *
 * @example
 * ```ts
 * import { Trace } from "grantlab/trace";
 * import { Cpu, Shootdown } from "grantlab/x86";
 * const cpus = [0, 1, 2].map(() => new Cpu({ trace: new Trace() }));
 * const shootdown = new Shootdown(cpus, "lazy");
 * shootdown.setIdle(2, true);
 * shootdown.invalidate(0, [0, 1, 2], 0x5000, 1);
 * if (cpus[0]!.trace.count("ipi") !== 1 || cpus[1]!.trace.count("invlpg") !== 1) throw new Error();
 * if (shootdown.owes(2) !== 1) throw new Error();
 * shootdown.enter(2);
 * if (cpus[2]!.trace.count("invlpg") !== 1) throw new Error();
 * ```
 */
export class Shootdown {
  readonly #cpus: readonly Cpu[];
  readonly #policy: ShootdownPolicy;
  readonly #owed: Owed[][];
  readonly #idle: boolean[];

  /** @param policy `eager`, `batched`, `lazy`, or one of your own */
  constructor(cpus: readonly Cpu[], policy: ShootdownPolicyName | ShootdownPolicy = "eager") {
    this.#cpus = cpus;
    this.#policy = typeof policy === "string"
      ? lookUp<ShootdownPolicy>("shoot-down policy", SHOOTDOWN_POLICIES, policy)
      : policy;
    this.#owed = cpus.map(() => []);
    this.#idle = cpus.map(() => false);
  }

  /**
   * The tables have changed for these pages: CPU `from` asks `targets` (itself included, if it is one) to drop them.
   *
   * @throws {RangeError} if a CPU does not exist, the address is not canonical or not page-aligned
   */
  invalidate(from: number, targets: Iterable<number>, va: number | bigint, pages = 1): void {
    this.#check(from);
    const start = vaddr(va, 57);
    if (start % 4096n !== 0n) throw outOfRange("shoot down", start, "it is not aligned to a page");
    withinBudget("shoot down pages", pages, "pagesPerCall");
    for (const target of new Set(targets)) {
      this.#check(target);
      this.#owed[target]!.push({ va: start, pages });
      if (target === from) {
        if (this.#policy.isLocalAtOnce) this.#pay(target);
      } else if (this.#policy.interruptsAtOnce(this.#idle[target]!)) this.#interrupt(from, target);
    }
  }

  /** Interrupts every CPU that owes, once each, idle ones too; CPU `from` pays itself. What a batch ends in. */
  flush(from: number): void {
    this.#check(from);
    for (const target of this.#cpus.keys()) {
      if (this.#owed[target]!.length === 0) continue;
      if (target === from) this.#pay(target);
      else this.#interrupt(from, target);
    }
  }

  /** Marks a CPU idle (running a kernel thread on borrowed tables), or not. */
  setIdle(cpu: number, isIdle: boolean): void {
    this.#check(cpu);
    this.#idle[cpu] = isIdle;
  }

  /** A CPU comes back to the address space: it pays before it uses it. */
  enter(cpu: number): void {
    this.#check(cpu);
    this.#idle[cpu] = false;
    this.#pay(cpu);
  }

  /** How many requests a CPU has not paid yet. */
  owes(cpu: number): number {
    this.#check(cpu);
    return this.#owed[cpu]!.length;
  }

  #interrupt(from: number, target: number): void {
    this.#cpus[from]!.trace.add(EV.ipi);
    this.#cpus[target]!.trace.add(EV.ipi_taken);
    this.#pay(target);
  }

  #pay(target: number): void {
    const owed = this.#owed[target]!;
    if (owed.length === 0) return;
    const cpu = this.#cpus[target]!;
    const pages = owed.reduce((sum, { pages }) => sum + pages, 0);
    if (pages > SINGLE_PAGE_FLUSH_CEILING) {
      cpu.writeCr3(cpu.rootFrame as Mfn, cpu.cr3Low);
    } else {
      for (const { va, pages } of owed) {
        for (let i = 0; i < pages; i++) cpu.invlpg(...splitVaddr(va + BigInt(i) * 4096n));
      }
    }
    owed.length = 0;
  }

  #check(cpu: number): void {
    wholeNumber("find CPU", cpu, 0, this.#cpus.length - 1);
  }
}
