/**
 * A ring buffer of the last events and spans, attached to a trace while somebody wants to read them. Columns, so that
 * listening allocates nothing.
 *
 * @module
 */

import { wholeNumber } from "../core/misuse.ts";
import { EVENT_KINDS, type EventKind, NR_EVENTS } from "./events.ts";
import type { Trace, TraceSink } from "./trace.ts";

/** One line of a record: an event (`times` ≥ 1), or the opening or closing of a span. */
export interface RecordLine {
  readonly what: "event" | "enter" | "leave";
  readonly name: EventKind | string;
  readonly times: number;
  /** How many spans were open. */
  readonly depth: number;
}

const ENTERED = 0;
const LEFT = -1;

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
  /** What happened: an event's index, or the number of a span's name above them. */
  readonly #what: Int32Array;
  /** Times of an event; 0 for the opening of a span, -1 for its closing. */
  readonly #times: Int32Array;
  readonly #depths: Int32Array;
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  #next = 0;
  #size = 0;
  #depth = 0;
  /** Lines that fell out of the ring; never silent: shown with the lines. */
  dropped = 0;

  constructor(trace: Trace, capacity = 4096) {
    wholeNumber("record lines, at most", capacity, 1, 2 ** 24);
    this.#what = new Int32Array(capacity);
    this.#times = new Int32Array(capacity);
    this.#depths = new Int32Array(capacity);
    this.#trace = trace;
    trace.sink = this;
  }

  event(kind: number, times: number): void {
    this.#push(kind, times, this.#depth);
  }

  enter(name: string): void {
    this.#push(this.#numberOf(name), ENTERED, this.#depth++);
  }

  leave(name: string): void {
    this.#push(this.#numberOf(name), LEFT, --this.#depth);
  }

  /** Detaches from the trace and answers the lines, oldest first. */
  stop(): RecordLine[] {
    if (this.#trace.sink === this) this.#trace.sink = null;
    const capacity = this.#what.length;
    const first = this.#size < capacity ? 0 : this.#next;
    return Array.from({ length: this.#size }, (_, i) => this.#lineAt((first + i) % capacity));
  }

  #lineAt(i: number): RecordLine {
    const [what, times, depth] = [this.#what[i]!, this.#times[i]!, this.#depths[i]!];
    if (what < NR_EVENTS) return { what: "event", name: EVENT_KINDS[what]!, times, depth };
    return {
      what: times === ENTERED ? "enter" : "leave",
      name: this.#names[what - NR_EVENTS]!,
      times: 1,
      depth,
    };
  }

  #numberOf(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = NR_EVENTS + this.#names.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }

  #push(what: number, times: number, depth: number): void {
    const at = this.#next;
    this.#what[at] = what;
    this.#times[at] = times;
    this.#depths[at] = depth;
    this.#next = at + 1 === this.#what.length ? 0 : at + 1;
    if (this.#size < this.#what.length) this.#size++;
    else this.dropped++;
  }
}
