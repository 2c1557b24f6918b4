/**
 * A TLB shoot-down on the time line, under one policy: what the CPU that changed the entry does, when each other CPU is
 * told, and for how long it goes on with what it has.
 *
 * The model (`x86/shootdown.ts`) says who is interrupted and what each CPU executes; the order is that of the code (change, send one
 * after the other, wait for all); durations are prices. Left out: what the others do besides, delays of delivery.
 *
 * @cite linux 6.1 arch/x86/mm/tlb.c flush_tlb_mm_range
 * @module
 */

import { knownOptions } from "../core/options.ts";
import { wholeNumber } from "../core/misuse.ts";
import { priceOf } from "../cost/price_of.ts";
import type { PriceList } from "../cost/price.ts";
import { Trace } from "../trace/trace.ts";
import { Cpu } from "../x86/cpu.ts";
import { Shootdown, type ShootdownPolicyName } from "../x86/shootdown.ts";

/** What one CPU does for a while. */
export interface ShootdownLane {
  readonly cpu: number;
  readonly what: "changes the entry" | "sends" | "waits" | "invalidates" | "stale" | "idle, owes";
  readonly from: number;
  readonly to: number;
  readonly unit: string;
  readonly source: string;
}

/** What is shot down. */
export interface ShootdownOptions {
  readonly cpus?: number;
  /** Pages whose entries change. */
  readonly pages?: number;
  readonly policy?: ShootdownPolicyName;
  /** CPUs that idle on borrowed tables. */
  readonly idle?: readonly number[];
}

const KNOWN: Readonly<Record<keyof ShootdownOptions, true>> = {
  cpus: true,
  pages: true,
  policy: true,
  idle: true,
};

const START = 0x7f00_0000_0000;

/**
 * Lanes of a shoot-down that CPU 0 starts.
 *
 * @example
 * ```ts
 * import { ASSUMED_CYCLES } from "grantlab/cost";
 * import { shootdownLanes } from "grantlab/experiments";
 * const lanes = shootdownLanes({ cpus: 4 }, ASSUMED_CYCLES);
 * const stale = lanes.filter(({ what }) => what === "stale").map(({ cpu, from, to }) => [cpu, to - from]);
 * if (stale.length !== 3 || stale[2]![1]! <= stale[0]![1]!) throw new Error(String(stale)); // the last is told last
 * ```
 */
export function shootdownLanes(options: ShootdownOptions, prices: PriceList): ShootdownLane[] {
  knownOptions("a shoot-down", options, KNOWN);
  const { cpus = 4, pages = 1, policy = "eager", idle = [] } = options;
  wholeNumber("shoot down on CPUs, of number", cpus, 1, 256);
  const machine = Array.from({ length: cpus }, () => new Cpu({ trace: new Trace() }));
  const shootdown = new Shootdown(machine, policy);
  for (const cpu of idle) shootdown.setIdle(cpu, true);
  shootdown.invalidate(0, machine.keys(), START, pages);
  if (policy === "batched") shootdown.flush(0);
  const source = `assumed: ${prices.name}`;
  const lane = (cpu: number, what: ShootdownLane["what"], from: number, to: number) => ({
    cpu,
    what,
    from,
    to,
    unit: prices.unit,
    source,
  });
  const costOf = (cpu: number) => {
    const { invlpg = 0, cr3_write = 0 } = machine[cpu]!.trace.since(
      new Float64Array(machine[cpu]!.trace.counters.length),
    );
    return priceOf({ invlpg, cr3_write }, prices).total;
  };
  const lanes: ShootdownLane[] = [];
  let now = priceOf({ pte_write: pages }, prices).total;
  lanes.push(lane(0, "changes the entry", 0, now));
  const own = costOf(0);
  lanes.push(lane(0, "invalidates", now, now + own));
  now += own;
  // The price of an interrupt covers both ends: half of it is sending, half is being taken.
  const half = prices.prices.ipi.per / 2;
  let last = now;
  for (let cpu = 1; cpu < cpus; cpu++) {
    if (machine[cpu]!.trace.count("ipi_taken") === 0) continue;
    lanes.push(lane(0, "sends", now, now + half));
    now += half;
    const told = now + half;
    const done = told + costOf(cpu);
    lanes.push(lane(cpu, "stale", 0, told), lane(cpu, "invalidates", told, done));
    last = Math.max(last, done);
  }
  if (last > now) lanes.push(lane(0, "waits", now, last));
  const end = Math.max(last, now);
  for (let cpu = 1; cpu < cpus; cpu++) {
    if (machine[cpu]!.trace.count("ipi_taken") === 0) lanes.push(lane(cpu, "idle, owes", 0, end));
  }
  return lanes;
}
