/**
 * Where persistent grants lose: they replace the back end's map, unmap and flush by a copy in the guest. The flush grows
 * with the CPUs of dom0, the copy does not. So where a copy is dear and dom0 has few CPUs, mapping is cheaper.
 *
 * @cite list 2013-10 Persistent grants
 * @module
 */

import { knownOptions } from "../core/options.ts";
import { wholeNumber } from "../core/misuse.ts";
import { ASSUMED_CYCLES } from "../cost/assumed_cycles.ts";
import type { PriceList } from "../cost/price.ts";
import { priceOf } from "../cost/price_of.ts";
import { countStorage, STORAGE_MODES, type StorageCounts } from "./storage_scaling.ts";

/** Parameters. */
export interface PersistenceCrossoverOptions {
  /** vCPUs of dom0, all at work. Default 1 … 24. */
  readonly vcpus?: readonly number[];
  /** Pages of a request. Default 1. */
  readonly pages?: number;
  /** Cycles that a byte of the guest's copy costs. Default those of the price list: low, its figure, 1, high. */
  readonly copyPrices?: readonly number[];
  readonly prices?: PriceList;
}

const KNOWN: Readonly<Record<keyof PersistenceCrossoverOptions, true>> = {
  vcpus: true,
  pages: true,
  copyPrices: true,
  prices: true,
};

/** One number of vCPUs, one price of a copied byte. */
export interface PersistenceCrossoverRow {
  readonly vcpus: number;
  readonly pages: number;
  /** Cycles per copied byte. */
  readonly copyPrice: number;
  /** Cycles of guest and dom0 together per request, for grants and copies only. */
  readonly mapAndUnmap: number;
  readonly persistent: number;
  readonly wins: "map and unmap" | "persistent grants";
}

/**
 * Runs the experiment.
 *
 * @example
 * ```ts
 * import { persistenceCrossover } from "grantlab/experiments";
 * const rows = persistenceCrossover({ vcpus: [1, 16], copyPrices: [1] });
 * if (rows.map((row) => row.wins).join() !== "map and unmap,persistent grants") throw new Error(JSON.stringify(rows));
 * ```
 */
export function persistenceCrossover(options: PersistenceCrossoverOptions = {}): PersistenceCrossoverRow[] {
  knownOptions("persistenceCrossover()", options, KNOWN);
  const { prices = ASSUMED_CYCLES, pages = 1 } = options;
  wholeNumber("make requests of pages", pages, 1, 11);
  const { low, per, high } = prices.prices.front_copy_bytes;
  const copyPrices = options.copyPrices ?? [low, per, 1, high];
  const vcpus = options.vcpus ?? Array.from({ length: 24 }, (_, i) => i + 1);
  return vcpus.flatMap((n) => {
    const [mapped, kept] = STORAGE_MODES.map((mode) =>
      countStorage(mode, n, n, { requestBytes: pages * 4096, requests: 32 })
    ) as [StorageCounts, StorageCounts];
    return copyPrices.map((copyPrice) => {
      const copy = { ...prices.prices.front_copy_bytes, per: copyPrice, low: copyPrice, high: copyPrice };
      const list = { ...prices, prices: { ...prices.prices, front_copy_bytes: copy } };
      const mapAndUnmap = perRequest(mapped, list);
      const persistent = perRequest(kept, list);
      const wins = persistent < mapAndUnmap ? "persistent grants" : "map and unmap";
      return { vcpus: n, pages, copyPrice, mapAndUnmap, persistent, wins };
    });
  });
}

function perRequest({ guest, dom0, requests }: StorageCounts, prices: PriceList): number {
  return (priceOf(guest, prices).total + priceOf(dom0, prices).total) / requests;
}

/** The fewest vCPUs from which persistent grants win at a price of a copied byte; null if they do not. */
export function crossoverAt(rows: readonly PersistenceCrossoverRow[], copyPrice: number): number | null {
  const own = rows.filter((row) => row.copyPrice === copyPrice).toSorted((a, b) => a.vcpus - b.vcpus);
  const last = own.findLastIndex(({ wins }) => wins === "map and unmap");
  return own[last + 1]?.vcpus ?? null;
}
