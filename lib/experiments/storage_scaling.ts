/**
 * How a host's block throughput grows with guests, and why it falls again: every unmap flushes the TLBs of all CPUs on
 * which dom0 has worked, by interrupt, one flush at a time in the whole machine. The more guests, the more CPUs of dom0
 * work, and the longer each flush takes. Grants that stay mapped are never flushed.
 *
 * What is counted comes from the model: hypercalls, operations, flushes, their targets. Throughput is the least of three
 * bounds: each guest's pace (its own CPU, or the thread that serves it), dom0's CPUs, and the lock under which flushes
 * follow each other.
 *
 * ```text
 * requests/s ≤ guests × clock / max(guest's cycles, thread's cycles)
 *            ≤ dom0's CPUs × clock / dom0's cycles
 *            ≤ clock / cycles of flushes          one flush_lock
 * ```
 *
 * @cite xen 4.17 xen/arch/x86/smp.c flush_lock
 * @cite list 2012-10-18 Persistent grant maps for xen blk drivers
 * @module
 */

import { knownOptions } from "../core/options.ts";
import { wholeNumber } from "../core/misuse.ts";
import { blockWorkload } from "../drivers/workload/block_workload.ts";
import { ASSUMED_CYCLES } from "../cost/assumed_cycles.ts";
import type { PriceList } from "../cost/price.ts";
import { priceOf } from "../cost/price_of.ts";
import { EVENT_KINDS } from "../trace/events.ts";
import type { EventCounts } from "../trace/trace.ts";
import { World } from "./world.ts";

/** What is not counted, and where the answer goes in requests per second. All assumed. */
export interface StorageScalingOptions {
  /** Default 1 … 15. */
  readonly guests?: readonly number[];
  /** vCPUs of dom0, each on a CPU of its own. Default 24, as in the published measurement. */
  readonly vcpus?: number;
  /** Bytes of a request. Default 4096. */
  readonly requestBytes?: number;
  /** Requests that each guest makes in the model. Default 64. */
  readonly requests?: number;
  readonly prices?: PriceList;
  /** Cycles of a guest for a request, its copies not counted. Default 20 000, assumed. */
  readonly guestCycles?: number;
  /** Cycles of dom0's block layer for a request, grants not counted. Default 10 000, assumed. */
  readonly dom0Cycles?: number;
  /** Cycles per second. Default 3 GHz. */
  readonly clock?: number;
}

const KNOWN: Readonly<Record<keyof StorageScalingOptions, true>> = {
  guests: true,
  vcpus: true,
  requestBytes: true,
  requests: true,
  prices: true,
  guestCycles: true,
  dom0Cycles: true,
  clock: true,
};

/** One number of guests, one way to treat grants. */
export interface StorageScalingRow {
  readonly mode: "map and unmap" | "persistent grants";
  readonly guests: number;
  readonly vcpus: number;
  /** In the model, per request. */
  readonly hypercalls: number;
  readonly flushes: number;
  /** Interrupts sent for flushes. */
  readonly ipis: number;
  /** Cycles per request: of the guest, of dom0 and Xen for it, of flushes alone. */
  readonly guestCycles: number;
  readonly dom0Cycles: number;
  readonly flushCycles: number;
  /** All guests together. */
  readonly requestsPerSecond: number;
  /** Which bound it is. */
  readonly bound: "guests" | "dom0" | "flushes";
  /** `assumed` or `measured`, and the list. */
  readonly prices: string;
}

/** Both ways, all numbers of guests. */
export const STORAGE_MODES = ["map and unmap", "persistent grants"] as const;

/**
 * Runs the experiment.
 *
 * @throws {RangeError} if a number of guests is not 1 … 64
 *
 * @example
 * ```ts
 * import { storageScaling } from "grantlab/experiments";
 * const rows = storageScaling({ guests: [1, 8], vcpus: 8, requests: 32 });
 * const [one, eight] = rows.filter((row) => row.mode === "map and unmap");
 * if (!(eight!.ipis > one!.ipis)) throw new Error();
 * ```
 */
export function storageScaling(options: StorageScalingOptions = {}): StorageScalingRow[] {
  knownOptions("storageScaling()", options, KNOWN);
  const { guests = Array.from({ length: 15 }, (_, i) => i + 1), vcpus = 24 } = options;
  for (const n of guests) wholeNumber("run guests:", n, 1, 64);
  wholeNumber("give dom0 vCPUs:", vcpus, 1, 256);
  return STORAGE_MODES.flatMap((mode) => guests.map((n) => rowOf(mode, n, vcpus, options)));
}

function rowOf(
  mode: StorageScalingRow["mode"],
  nrGuests: number,
  vcpus: number,
  options: StorageScalingOptions,
): StorageScalingRow {
  const { prices = ASSUMED_CYCLES, clock = 3e9, guestCycles = 20_000, dom0Cycles = 10_000 } = options;
  const { guest, dom0, requests } = countStorage(mode, nrGuests, vcpus, options);
  const priced = priceOf(dom0, prices);
  const perRequest = (counts: EventCounts) => priceOf(counts, prices).total / requests;
  const { flush_tlb_mask = 0, ipi = 0 } = dom0;
  const flushCycles = perRequest({ flush_tlb_mask, ipi });
  const ofGuest = guestCycles + perRequest(guest);
  const ofDom0 = dom0Cycles + perRequest(dom0);
  const bounds = {
    guests: nrGuests * clock / Math.max(ofGuest, ofDom0),
    dom0: vcpus * clock / ofDom0,
    flushes: flushCycles === 0 ? Infinity : clock / flushCycles,
  };
  const requestsPerSecond = Math.min(bounds.guests, bounds.dom0, bounds.flushes);
  return {
    mode,
    guests: nrGuests,
    vcpus,
    hypercalls: (dom0.hypercall ?? 0) / requests,
    flushes: flush_tlb_mask / requests,
    ipis: ipi / requests,
    guestCycles: ofGuest,
    dom0Cycles: ofDom0,
    flushCycles,
    requestsPerSecond,
    bound: requestsPerSecond === bounds.guests
      ? "guests"
      : requestsPerSecond === bounds.dom0
      ? "dom0"
      : "flushes",
    prices: `${priced.assumed ? "assumed" : "measured"}: ${priced.list}`,
  };
}

/** What a number of guests did, to be priced. */
export interface StorageCounts {
  readonly guest: EventCounts;
  readonly dom0: EventCounts;
  readonly requests: number;
}

/** Every guest makes its requests twice: the first time warms, the second is counted. */
export function countStorage(
  mode: StorageScalingRow["mode"],
  nrGuests: number,
  vcpus: number,
  { requestBytes = 4096, requests = 64 }: Pick<StorageScalingOptions, "requestBytes" | "requests"> = {},
): StorageCounts {
  const persistent = mode === "persistent grants";
  const pages = Math.ceil(requestBytes / 4096);
  const frames = 64 + 2 * 32 * pages;
  const world = new World({
    cpus: vcpus,
    ballooned: nrGuests * (40 * pages + 8) + 64,
    spareFrames: nrGuests * frames,
  });
  const devices = Array.from(
    { length: nrGuests },
    () => world.blk({ guest: world.addGuest(frames), persistent, size: 2 ** 22 }),
  );
  const guest: EventCounts = {};
  const dom0: EventCounts = {};
  const sizes = [{ bytes: requestBytes, weight: 1 }];
  let done = 0;
  for (const round of [0, 1]) {
    for (const [seed, device] of devices.entries()) {
      const load = device.run(blockWorkload({ seed, requests, sizes, sectors: 8192, readShare: 0.5 }));
      if (round === 0) continue;
      done += load.okay;
      add(guest, load.guestEvents);
      add(dom0, load.dom0Events);
    }
  }
  return { guest, dom0, requests: done };
}

function add(to: EventCounts, counts: EventCounts): void {
  for (const kind of EVENT_KINDS) {
    const n = counts[kind];
    if (n !== undefined) to[kind] = (to[kind] ?? 0) + n;
  }
}
