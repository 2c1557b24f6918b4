/**
 * A fitted list as an ordinary price list in instructions, so that everything that prices counts works with it.
 *
 * @module
 */

import { EVENT_KINDS, type EventKind } from "../trace/events.ts";
import type { InstructionList } from "./instruction_list.ts";
import type { Price, PriceList } from "./price.ts";
import { PRICE_CLASSES } from "./price_class.ts";
import { priceList } from "./price_list.ts";
import { type CpuModel, repIterations } from "./rep_iterations.ts";

/**
 * The list with a price for every event: layers added up, iterations of string instructions included. Events that the
 * recordings do not price cost 0 and say why.
 *
 * @example
 * ```ts
 * import { instructionPriceList, LINUX_6_1_INSTRUCTIONS, priceOf } from "grantlab/cost";
 * const list = instructionPriceList(LINUX_6_1_INSTRUCTIONS, { erms: true });
 * const cost = priceOf({ page_clear: 1 }, list);
 * if (cost.unit !== "instructions" || cost.total < 4096) throw new Error(String(cost.total));
 * ```
 */
export function instructionPriceList(list: InstructionList, cpu: CpuModel): PriceList {
  const prices = Object.fromEntries(EVENT_KINDS.map((kind) => [kind, priceOfEvent(kind, list, cpu)]));
  return priceList({
    name: list.name,
    unit: "instructions",
    machine: `${list.machine}: ${list.kernel}${list.xen === null ? "" : ` on ${list.xen}`}, ${
      cpu.erms ? "with" : "without"
    } ERMS`,
    prices,
  }, { name: list.name });
}

function priceOfEvent(kind: EventKind, list: InstructionList, cpu: CpuModel): Price {
  const { user, kernel, xen } = repIterations({ [kind]: 1 }, cpu, list.kernel);
  const iterations = user + kernel + xen;
  const price = list.prices[kind];
  if (price === undefined) {
    const why = iterations > 0
      ? "its iterations, one instruction each"
      : PRICE_CLASSES[kind] === "none"
      ? "0, no instruction of its own or counted by other events"
      : list.unpriced[kind] !== undefined
      ? `0, it happens in ${list.unpriced[kind]} only`
      : "0, it happens in no recording";
    const source = iterations > 0 ? `${list.source}; ${why}` : `assumed: ${why}`;
    return { per: iterations, low: iterations, high: iterations, source };
  }
  const per = price.per.user + price.per.kernel + price.per.xen;
  return {
    per: iterations + per,
    low: iterations + Math.min(per, price.low),
    high: iterations + Math.max(per, price.high),
    source: `${list.source}; ${price.benches} benches, ${price.rows} rows, median error ${
      (100 * price.residual).toFixed(1)
    } %`,
  };
}
