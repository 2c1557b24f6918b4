/**
 * Price lists in instructions: for each event how many instructions user, kernel and Xen execute. Made by
 * {@linkcode calibrate} from recordings, used by {@linkcode predict}. Instructions are not cycles: no cache, TLB or memory
 * latency is in them.
 *
 * @module
 */

import type { CostKind } from "./operations.ts";

/** Who executes instructions. */
export const COST_LAYERS = ["user", "kernel", "xen"] as const;

/** One of them. */
export type CostLayer = typeof COST_LAYERS[number];

/** Amounts by layer. */
export type ByLayer = Readonly<Record<CostLayer, number>>;

/** The price of one event. */
export interface InstructionPrice {
  /** Instructions by layer. A list fitted to totals alone has them all under `kernel`. */
  readonly per: ByLayer;
  /** Least and most that all layers together cost when one bench at a time is left out of the fit. */
  readonly low: number;
  readonly high: number;
  /** Median relative error of the rows in which the event happens. */
  readonly residual: number;
  /** Benches in which the event happens: never fewer than two. */
  readonly benches: number;
  /** Rows in which it happens. */
  readonly rows: number;
}

/** Prices of one machine. */
export interface InstructionList {
  readonly name: string;
  readonly unit: "instructions";
  /** The machine of the recordings: `linux`, `xenpv`, `xenpvh`. */
  readonly machine: string;
  /** Flavour names of what ran. */
  readonly kernel: string;
  readonly xen: string | null;
  /** Files and numbers of rows. */
  readonly source: string;
  /** True if the recordings say which layer executed what. */
  readonly hasLayers: boolean;
  readonly prices: Readonly<Partial<Record<CostKind, InstructionPrice>>>;
  /** Events that happen in one bench only, which therefore have no price: the bench of each. */
  readonly unpriced: Readonly<Partial<Record<CostKind, string>>>;
  /** Sizes of the rows it was fitted to. */
  readonly sizes: readonly number[];
  /** Prices over all layers when all rows of a size are left out, by size: those that differ. */
  readonly withoutSize: Readonly<Record<string, Readonly<Partial<Record<CostKind, number>>>>>;
  /** The same when a bench is left out, by bench; benches that differ only in what follows them count as one. */
  readonly without: Readonly<Record<string, Readonly<Partial<Record<CostKind, number>>>>>;
}
