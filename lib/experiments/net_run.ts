/**
 * How packets fared.
 *
 * @module
 */

import { Shown, viewOf } from "../core/shown.ts";
import type { View } from "../core/view.ts";
import type { EventCounts } from "../trace/trace.ts";
import { EventTally } from "./event_tally.ts";

interface NetRunFields {
  readonly sent: number;
  readonly right: number;
  readonly wrong: number;
  readonly okay: number;
  readonly error: number;
  readonly unanswered: number;
  readonly events: EventCounts;
}

/** Packets that were sent, what arrived of them, and what it took. */
export class NetRun extends Shown implements NetRunFields {
  readonly sent: number;
  /** At the other end as they were sent. */
  readonly right: number;
  /** At the other end otherwise. */
  readonly wrong: number;
  /** Slots answered with okay. */
  readonly okay: number;
  /** Slots answered with an error. */
  readonly error: number;
  /** Slots not answered yet. */
  readonly unanswered: number;
  /** Of the whole machine. */
  readonly events: EventCounts;

  constructor(fields: NetRunFields) {
    super();
    this.sent = fields.sent;
    this.right = fields.right;
    this.wrong = fields.wrong;
    this.okay = fields.okay;
    this.error = fields.error;
    this.unanswered = fields.unanswered;
    this.events = fields.events;
  }

  override toString(): string {
    const { sent, right, wrong, okay, error, unanswered } = this;
    return `packets ${sent}: right ${right}, wrong ${wrong}; ` +
      `slots: okay ${okay}, error ${error}, unanswered ${unanswered}`;
  }

  override [viewOf](): View {
    const { line, blocks = [] } = new EventTally(this.events)[viewOf]();
    return { line: this.toString(), title: `${this}\n${line}`, blocks };
  }
}
