/**
 * Counted events as people read them. Prices are another layer's business.
 *
 * @module
 */

import { tableBlock, type View } from "../core/view.ts";
import { EVENT_KINDS, EVENTS } from "./events.ts";
import type { Trace } from "./trace.ts";

/** Counters that are not zero, in the order of the table of events. */
export function traceView(trace: Trace): View {
  const rows = EVENT_KINDS.flatMap((kind, i) => {
    const n = trace.counters[i]!;
    return n === 0 ? [] : [[kind, EVENTS[kind].layer, String(n), EVENTS[kind].meaning]];
  });
  const total = trace.counters.reduce((sum, n) => sum + n, 0);
  return {
    line: `trace: ${total} events of ${rows.length} kinds`,
    blocks: [
      tableBlock(["event", "layer", { header: "count", right: true }, "meaning"], rows, { limit: 80 }),
    ],
  };
}
