/**
 * A ring buffer of the last events and spans, attached to a trace while somebody wants to read them.
 *
 * @module
 */

import { wholeNumber } from "../core/misuse.ts";
import { EVENT_KINDS, type EventKind } from "./events.ts";
import type { Trace, TraceSink } from "./trace.ts";

/** One line of a record: an event (`times` ≥ 1), or the opening or closing of a span. */
export interface RecordLine {
  readonly what: "event" | "enter" | "leave";
  readonly name: EventKind | string;
  readonly times: number;
  /** How many spans were open. */
  readonly depth: number;
}

/**
 * Remembers the last `capacity` lines.
 *
 * @example
 * ```ts
 * import { EV, Recorder, Trace } from "grantlab/trace";
 * const trace = new Trace();
 * const recorder = new Recorder(trace, 8);
 * trace.enter("munmap");
 * trace.add(EV.vma_find);
 * trace.leave("munmap");
 * const lines = recorder.stop();
 * if (lines.length !== 3 || lines[1]!.name !== "vma_find" || lines[1]!.depth !== 1) throw new Error();
 * ```
 */
export class Recorder implements TraceSink {
  readonly #trace: Trace;
  readonly #lines: RecordLine[] = [];
  readonly #capacity: number;
  #next = 0;
  #depth = 0;
  /** Lines that fell out of the ring; never silent: shown with the lines. */
  dropped = 0;

  constructor(trace: Trace, capacity = 4096) {
    this.#capacity = wholeNumber("record lines, at most", capacity, 1, 2 ** 24);
    this.#trace = trace;
    trace.sink = this;
  }

  event(kind: number, times: number): void {
    this.#push({ what: "event", name: EVENT_KINDS[kind]!, times, depth: this.#depth });
  }

  enter(name: string): void {
    this.#push({ what: "enter", name, times: 1, depth: this.#depth++ });
  }

  leave(name: string): void {
    this.#push({ what: "leave", name, times: 1, depth: --this.#depth });
  }

  /** Detaches from the trace and answers the lines, oldest first. */
  stop(): RecordLine[] {
    if (this.#trace.sink === this) this.#trace.sink = null;
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
  }

  #push(line: RecordLine): void {
    if (this.#lines.length < this.#capacity) {
      this.#lines.push(line);
      return;
    }
    this.#lines[this.#next] = line;
    this.#next = (this.#next + 1) % this.#capacity;
    this.dropped++;
  }
}
