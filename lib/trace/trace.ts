/**
 * Counters, spans and an optional sink. Counters are always on: an increment of a typed array. Spans are opened at
 * the entry points of the modelled kernel and hypervisor and give attribution only (who called what); they change
 * no count. The sink, null while nobody listens, sees every event in order.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import { traceView } from "./trace_view.ts";
import { EVENT_KINDS, type EventKind, NR_EVENTS } from "./events.ts";

/** Receives events and spans as they happen. */
export interface TraceSink {
  event(kind: number, times: number): void;
  enter(name: string): void;
  leave(name: string): void;
}

/** Counts by event, without the zeros. */
export type EventCounts = Partial<Record<EventKind, number>>;

/**
 * The counters of one machine.
 *
 * @example
 * ```ts
 * import { EV, Trace } from "grantlab/trace";
 * const trace = new Trace();
 * const before = trace.mark();
 * trace.add(EV.walk_step, 4);
 * const { walk_step } = trace.since(before);
 * if (walk_step !== 4) throw new Error();
 * ```
 */
export class Trace extends Shown {
  /** One counter per event, in the order of `EVENT_KINDS`. */
  readonly counters: Float64Array = new Float64Array(NR_EVENTS);
  /** Null while nobody listens. */
  sink: TraceSink | null = null;

  /** Counts `times` events of the kind with this index (`EV.walk_step`). */
  add(kind: number, times = 1): void {
    this.counters[kind]! += times;
    if (this.sink !== null) this.sink.event(kind, times);
  }

  /** Counts one event: what {@linkcode add} does, small enough that a compiler puts it in place everywhere. */
  one(kind: number): void {
    this.counters[kind]!++;
    if (this.sink !== null) this.sink.event(kind, 1);
  }

  /** Runs what stands for work done before anybody counted, such as that of a boot: it leaves no trace. */
  uncounted(body: () => void): void {
    const before = this.mark();
    const { sink } = this;
    this.sink = null;
    try {
      body();
    } finally {
      this.counters.set(before);
      this.sink = sink;
    }
  }

  /** Opens a span; close it with {@linkcode leave} in a `finally`. */
  enter(name: string): void {
    if (this.sink !== null) this.sink.enter(name);
  }

  /** Closes the span of that name. */
  leave(name: string): void {
    if (this.sink !== null) this.sink.leave(name);
  }

  /** Runs `body` as a span; not for hot paths, where {@linkcode enter} and {@linkcode leave} allocate nothing. */
  span<T>(name: string, body: () => T): T {
    if (this.sink === null) return body();
    this.enter(name);
    try {
      return body();
    } finally {
      this.leave(name);
    }
  }

  /** How often the event happened. */
  count(kind: EventKind): number {
    return this.counters[EVENT_KINDS.indexOf(kind)]!;
  }

  /** A copy of the counters, for {@linkcode since}. */
  mark(): Float64Array {
    return this.counters.slice();
  }

  /** What was counted since `mark`, without the zeros. */
  since(mark: Float64Array): EventCounts {
    const counts: EventCounts = {};
    for (let i = 0; i < NR_EVENTS; i++) {
      const n = this.counters[i]! - mark[i]!;
      if (n !== 0) counts[EVENT_KINDS[i]!] = n;
    }
    return counts;
  }

  override [viewOf](): View {
    return traceView(this);
  }
}
