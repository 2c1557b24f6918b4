/**
 * Prices by layer: what user, kernel and Xen execute for each event.
 *
 * @module
 */

import { type Expected, explained, fitPrices } from "./fit_prices.ts";
import type { CostLayer } from "./instruction_list.ts";
import { type Observation, ownRow, wholeRow } from "./observation.ts";
import { COST_KINDS, type CostKind } from "./operations.ts";

/** Prices of each layer, in the order of the events fitted. */
export type Prices = Readonly<Record<CostLayer, Float64Array>>;

/** Fits all layers; without rows by layer all goes under `kernel`. */
export function fitLayers(
  rows: readonly Observation[],
  kinds: readonly CostKind[],
  hasLayers: boolean,
  expected: Expected,
): Prices {
  const none = new Float64Array(kinds.length);
  if (!hasLayers) return { user: none, kernel: fitPrices(rows, kinds, expected, wholeRow), xen: none };
  const byLayer = rows.filter(({ layers }) => layers !== undefined);
  const fitLayer = (layer: CostLayer, rows: readonly Observation[], ownOf: (row: Observation) => number) => {
    const own = kinds.filter((kind) => mayCostIn(kind, layer));
    const prices = fitPrices(rows, own, expected, ownOf);
    return Float64Array.from(kinds, (kind) => own.includes(kind) ? prices[own.indexOf(kind)]! : 0);
  };
  const user = fitLayer("user", byLayer, (row) => ownRow(row, "user"));
  const xen = byLayer.some(({ layers }) => layers!.xen > 0)
    ? fitLayer("xen", byLayer, (row) => ownRow(row, "xen"))
    : none;
  // Where only the whole is known, what the other layers cost by these prices is taken off.
  const kernel = fitLayer(
    "kernel",
    rows,
    (row) =>
      row.layers === undefined
        ? wholeRow(row) - explained(row, kinds, user) - explained(row, kinds, xen)
        : ownRow(row, "kernel"),
  );
  return { user, kernel, xen };
}

/** Ways into the kernel: user and Xen execute instructions for them, too. */
const CROSSINGS: ReadonlySet<CostKind> = new Set(["syscall", "fault_entry"]);
/** What a PV kernel does to page tables without a hypercall ends in Xen all the same. */
const TRAPPED: ReadonlySet<CostKind> = new Set(["pte_write", "table_alloc", "table_free"]);

/** In which layers an event can cost instructions: where it happens, and where it is asked for. */
function mayCostIn(kind: CostKind, layer: CostLayer): boolean {
  const where = COST_KINDS[kind].layer;
  if (layer === "user") return where === "user" || CROSSINGS.has(kind) || kind === "file_call";
  if (layer === "kernel") return where !== "user";
  return where === "xen" || where === "hw" || CROSSINGS.has(kind) || TRAPPED.has(kind);
}
