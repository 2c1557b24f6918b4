/**
 * A price list for the user's own host, fitted to what they measured there: the same benches run over the model say what
 * happened, their values what it took.
 *
 * Prices start from the assumed list and move as far as the measurements ask for. An event that happens in no
 * measurement keeps its assumed price and says so. Operations that the model does not trace (a call on a file, bytes
 * copied) take part in the fit, so that events do not pay for them, but have no place in the list.
 *
 * @module
 */

import { ASSUMED_CYCLES } from "../../cost/assumed_cycles.ts";
import { benchFamily } from "../../cost/calibrate.ts";
import { type Expectation, fitPrices, type FitRow } from "../../cost/fit_prices.ts";
import type { CostKind } from "../../cost/operations.ts";
import { EXPECTED_INSTRUCTIONS, PRICE_CLASSES } from "../../cost/price_class.ts";
import type { Price, PriceList, PriceUnit } from "../../cost/price.ts";
import { priceList } from "../../cost/price_list.ts";
import type { Measurements } from "../../import/measurements.ts";
import { EVENT_KINDS, type EventKind } from "../../trace/events.ts";
import { benchCounts } from "./benches.ts";
import type { BenchMachine, BenchMode } from "./machine.ts";

/** What the measurements were made on. */
export interface HostOptions {
  /** Default: `linux`, no hypervisor. */
  readonly machine?: BenchMachine;
  /** Who granted, in benches on grants; default `foreign`. */
  readonly mode?: Exclude<BenchMode, "generic">;
  /** Name of the list; default: that of the measurements. */
  readonly name?: string;
}

/** Nanoseconds of a cycle where prices in cycles stand in for some in ns: 3 GHz. */
const NS_PER_CYCLE = 0.33;

interface Row extends FitRow {
  readonly operation: string;
}

/**
 * Fits the list.
 *
 * @throws {RangeError} if an operation is no bench of that machine, or not of that size; the message names the line
 *
 * @example
 * ```ts
 * import { hostPrices } from "grantlab/experiments";
 * import { parseMeasurements } from "grantlab/import";
 * const list = hostPrices(parseMeasurements("operation,n,value,unit\ngetpid,1,95,ns\n", "mine.csv"));
 * if (list.unit !== "ns" || !list.prices.syscall.source.startsWith("measured")) throw new Error();
 * ```
 */
export function hostPrices(measurements: Measurements, options: HostOptions = {}): PriceList {
  const rows = measurements.rows.map((row) => rowOf(row, measurements.name, options));
  const { unit } = measurements;
  const happens = (kind: CostKind) => rows.some(({ counts }) => (counts[kind] ?? 0) > 0);
  const kinds = [...new Set(rows.flatMap(({ counts }) => Object.keys(counts) as CostKind[]))].filter((kind) =>
    happens(kind) && expected(kind, unit).scale > 0
  );
  const fit = (own: readonly Row[]) =>
    fitPrices(own, kinds, (kind) => expected(kind, unit), ({ total }) => total);
  const whole = fit(rows);
  const operations = [...new Set(rows.map(({ operation }) => benchFamily(operation)))];
  const others = operations.length < 2
    ? []
    : operations.map((name) => fit(rows.filter(({ operation }) => benchFamily(operation) !== name)));
  const prices = Object.fromEntries(EVENT_KINDS.map((kind) => {
    const k = kinds.indexOf(kind);
    if (k < 0) return [kind, assumedPrice(kind, unit)];
    const seen = [whole, ...others].map((fitted) => fitted[k]!);
    const own = rows.filter(({ counts }) => (counts[kind] ?? 0) > 0).length;
    const price: Price = {
      per: whole[k]!,
      low: Math.min(...seen),
      high: Math.max(...seen),
      source:
        `measured: ${measurements.name}, ${own} of ${rows.length} rows; range: one operation at a time left out`,
    };
    return [kind, price];
  }));
  const machine = options.machine ?? "linux";
  return priceList(
    { name: options.name ?? measurements.name, unit, machine: `own host, ${machine}`, prices },
    {
      name: measurements.name,
    },
  );
}

function rowOf(
  { operation, n, value, line }: Measurements["rows"][number],
  name: string,
  { machine = "linux", mode = "foreign" }: HostOptions,
): Row {
  const attempt = (mode: BenchMode) => benchCounts(operation, n, { machine, mode, tables: "warm" });
  try {
    return { operation, total: value, counts: attempt(isOnGrants(operation) ? mode : "generic") };
  } catch (e) {
    throw new RangeError(`Cannot use ${name}:${line}: ${(e as Error).message}`, { cause: e });
  }
}

function isOnGrants(operation: string): boolean {
  return /^(gntdev|grant_copy|gntalloc|privcmd|raw_hypercall)_|_grant$/.test(operation);
}

/** The assumed price in the unit asked for, or the size by class; scale 0 for what costs nothing by itself. */
function expected(kind: CostKind, unit: PriceUnit): Expectation {
  if (isEvent(kind)) {
    const { per } = assumedPrice(kind, unit);
    return { price: per, scale: per };
  }
  const kindOfPrice = PRICE_CLASSES[kind];
  if (kindOfPrice === "none") return { price: 0, scale: 0 };
  const size = kindOfPrice === "iteration" ? 1 : EXPECTED_INSTRUCTIONS[kindOfPrice];
  const price = unit === "ns" ? size * NS_PER_CYCLE : size;
  return { price, scale: price };
}

function isEvent(kind: CostKind): kind is EventKind {
  return Object.hasOwn(ASSUMED_CYCLES.prices, kind);
}

function assumedPrice(kind: EventKind, unit: PriceUnit): Price {
  const price = ASSUMED_CYCLES.prices[kind];
  if (unit !== "ns") return { ...price, source: `assumed: ${price.source.replace(/^assumed: /, "")}` };
  const inNs = (cycles: number) => cycles * NS_PER_CYCLE;
  return {
    per: inNs(price.per),
    low: inNs(price.low),
    high: inNs(price.high),
    source: `assumed: ${NS_PER_CYCLE} ns a cycle; ${price.source.replace(/^assumed: /, "")}`,
  };
}
