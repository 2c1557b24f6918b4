/**
 * What something cost: counted events, with prices beside them. Counts are the model's own; as long as a price was
 * not measured, its column says "assumed".
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import { tableBlock, type View } from "../core/view.ts";
import { ASSUMED_CYCLES } from "../cost/assumed_cycles.ts";
import type { PriceList } from "../cost/price.ts";
import { type Cost, priceOf } from "../cost/price_of.ts";
import type { EventCounts } from "../trace/trace.ts";

/**
 * Events of a run, priced.
 *
 * @example
 * ```ts
 * import { EventTally } from "grantlab/experiments";
 * const tally = new EventTally({ hypercall: 2 });
 * if (tally.cost.total !== 900 || !String(tally).includes("assumed")) throw new Error(String(tally));
 * ```
 */
export class EventTally extends Shown {
  constructor(readonly counts: EventCounts, readonly prices: PriceList = ASSUMED_CYCLES) {
    super();
  }

  /** Amounts by event and layer. */
  get cost(): Cost {
    return priceOf(this.counts, this.prices);
  }

  /** How many events there were. */
  get total(): number {
    return Object.values(this.counts).reduce((sum, n) => sum + n, 0);
  }

  /** The same counts with other prices. */
  pricedBy(prices: PriceList): EventTally {
    return new EventTally(this.counts, prices);
  }

  override toString(): string {
    return this[viewOf]().line;
  }

  override [viewOf](): View {
    if (this.total === 0) return { line: "no events" };
    const { cost } = this;
    const word = cost.assumed ? "assumed" : "measured";
    const rows = cost.byEvent.map((row) => [
      row.event,
      row.layer,
      String(row.count),
      figure(row.amount),
      row.source,
    ]);
    const right = (header: string) => ({ header, right: true }) as const;
    return {
      line: `${this.total} events, ${figure(cost.total)} ${cost.unit} (${word}: ${cost.list})`,
      title: `${this.total} events of ${rows.length} kinds; ${figure(cost.total)} ${cost.unit} ` +
        `(${figure(cost.low)}–${figure(cost.high)}), ${word}: price list ${cost.list}`,
      blocks: [
        tableBlock(["event", "layer", right("count"), right(`${cost.unit}, ${word}`), "price from"], rows, {
          limit: 100,
        }),
      ],
    };
  }
}

function figure(amount: number): string {
  return Number.isInteger(amount) ? String(amount) : amount.toFixed(1);
}
