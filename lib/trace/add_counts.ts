/**
 * Counts of several runs as one.
 *
 * @module
 */

import type { EventKind } from "./events.ts";
import type { EventCounts } from "./trace.ts";

/** Counts of several runs together, event by event. */
export function addCounts(runs: readonly EventCounts[]): EventCounts {
  const total: EventCounts = {};
  for (const run of runs) {
    for (const [event, n] of Object.entries(run) as [EventKind, number][]) {
      total[event] = (total[event] ?? 0) + n;
    }
  }
  return total;
}
