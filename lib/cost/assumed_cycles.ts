/**
 * The built-in price list, in cycles. None of its figures was measured; each says what it was assumed from.
 * The figures are in `assumed_cycles.json`.
 *
 * @module
 */

import type { EventKind } from "../trace/events.ts";
import data from "./assumed_cycles.json" with { type: "json" };
import type { Price, PriceList } from "./price.ts";
import { priceList } from "./price_list.ts";

// An event without a price does not compile.
const prices: Readonly<Record<EventKind, Price>> = data.prices;

/**
 * Assumed prices, in cycles of an x86-64 processor at 3 GHz, PV domains under Xen. For the shape of a comparison
 * and for orders of magnitude; not for a claim about a machine.
 *
 * @example
 * ```ts
 * import { ASSUMED_CYCLES, isMeasured } from "grantlab/cost";
 * if (Object.values(ASSUMED_CYCLES.prices).some(isMeasured)) throw new Error();
 * ```
 */
export const ASSUMED_CYCLES: PriceList = priceList({ ...data, prices }, { name: "assumed_cycles.json" });
