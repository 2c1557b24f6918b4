/**
 * What a command is: a plain function of the session and the rest of its line. Commands are lines that begin with a
 * dot and a word; TypeScript has no such lines.
 *
 * @module
 */

import type { Evaluation } from "../evaluator.ts";
import type { LiveSession } from "../live_session.ts";

/** What a command may use. */
export interface CommandContext {
  readonly session: LiveSession;
  /** Shows lines to the user. */
  readonly write: (text: string) => void;
  /** Shows what became of a line, as if it had been typed. */
  readonly show: (evaluation: Evaluation) => Promise<void>;
  /** URL of the module whose names the session has. */
  readonly module: string;
  /** Lines that ran before the first one of the user. */
  readonly setup: readonly string[];
  /** Ends the session with a code. */
  readonly leave: (code: number) => void;
}

/** One command. */
export interface Command {
  /** As it is typed, with its argument: `.time expr`. */
  readonly usage: string;
  readonly summary: string;
  run(context: CommandContext, argument: string): Promise<void> | void;
}
