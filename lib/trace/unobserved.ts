/**
 * Looking at the model without leaving a trace: what counts while somebody only looks is taken back.
 *
 * @module
 */

import type { Trace } from "./trace.ts";

/**
 * Runs `body` and restores the counters; the sink hears nothing.
 *
 * @example
 * ```ts
 * import { EV, Trace, unobserved } from "grantlab/trace";
 * const trace = new Trace();
 * unobserved(trace, () => trace.add(EV.walk_step));
 * if (trace.count("walk_step") !== 0) throw new Error();
 * ```
 */
export function unobserved<T>(trace: Trace, body: () => T): T {
  const { sink } = trace;
  const mark = trace.mark();
  trace.sink = null;
  try {
    return body();
  } finally {
    trace.counters.set(mark);
    trace.sink = sink;
  }
}
