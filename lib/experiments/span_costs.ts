/**
 * What a call cost, span by span: the record of a call (`Recorder`) with prices, laid out as boxes from the start of the
 * call. A span is as long as what happened in it, callees included; time is the sum of prices, nothing else.
 *
 * @module
 */

import type { PriceList } from "../cost/price.ts";
import { isMeasured } from "../cost/price.ts";
import { type EventKind, EVENTS } from "../trace/events.ts";
import { Recorder, type RecordLine } from "../trace/record.ts";
import type { Trace } from "../trace/trace.ts";

/** One span of a call. */
export interface SpanCost {
  readonly name: string;
  /** Layer that pays most in the span itself, callees left out. */
  readonly layer: string;
  readonly depth: number;
  readonly from: number;
  readonly to: number;
  readonly unit: string;
  readonly source: string;
}

const MOST_LINES = 2 ** 20;

/** Lines of what `body` does. */
export function recordOf(trace: Trace, body: () => void): RecordLine[] {
  const recorder = new Recorder(trace, MOST_LINES);
  let lines: RecordLine[] = [];
  try {
    body();
  } finally {
    lines = recorder.stop();
  }
  if (recorder.dropped > 0) throw new RangeError(`Cannot record a call of more than ${MOST_LINES} events`);
  return lines;
}

/**
 * Spans of a record, outermost first, the whole as a span of its own at depth 0.
 *
 * @param title name of the whole
 *
 * @example
 * ```ts
 * import { ASSUMED_CYCLES } from "grantlab/cost";
 * import { recordOf, spanCosts, world } from "grantlab/experiments";
 * const w = world();
 * const qemu = w.process("qemu");
 * const vma = qemu.mmapGrants(w.guest.grant(4));
 * const spans = spanCosts("a call", recordOf(w.trace, () => qemu.munmap(vma.start, 4096)), ASSUMED_CYCLES);
 * if (!spans.some(({ name }) => name === "gntdev_invalidate")) throw new Error(spans.map(({ name }) => name).join());
 * ```
 */
export function spanCosts(title: string, lines: readonly RecordLine[], prices: PriceList): SpanCost[] {
  interface Open {
    readonly name: string;
    readonly depth: number;
    readonly from: number;
    readonly own: Map<string, number>;
    readonly at: number;
  }
  const spans: SpanCost[] = [];
  const isAssumed = lines.some(({ what, name }) =>
    what === "event" && !isMeasured(prices.prices[name as EventKind])
  );
  const source = `${isAssumed ? "assumed" : "measured"}: ${prices.name}`;
  let cost = 0;
  const stack: Open[] = [];
  const open = (name: string) => {
    stack.push({ name, depth: stack.length, from: cost, own: new Map(), at: spans.length });
    spans.push({ name, layer: "linux", depth: 0, from: 0, to: 0, unit: prices.unit, source }); // filled when it closes
  };
  const close = () => {
    const { name, depth, from, own, at } = stack.pop()!;
    const layer = [...own].reduce((best, one) => one[1] > best[1] ? one : best, ["linux", 0])[0];
    spans[at] = { name, layer, depth, from, to: cost, unit: prices.unit, source };
  };
  open(title);
  for (const { what, name, times } of lines) {
    if (what === "enter") open(name);
    else if (what === "leave") close();
    else {
      const amount = prices.prices[name as EventKind].per * times;
      const { layer } = EVENTS[name as EventKind];
      const { own } = stack.at(-1)!;
      own.set(layer, (own.get(layer) ?? 0) + amount);
      cost += amount;
    }
  }
  while (stack.length > 0) close();
  return spans;
}
