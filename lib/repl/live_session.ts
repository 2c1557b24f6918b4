/**
 * The session behind a prompt: the host that runs lines, and the journal of those that ran. A new host may take the
 * place of the old one (`.undo`); whoever holds the session does not notice.
 *
 * @module
 */

import type { Evaluation, Evaluator, Interruption, PrintOptions, ValueHandle } from "./evaluator.ts";
import { type JournalEntry, journalEntry, replay } from "./journal.ts";

/** Opens a host. What its code writes while `isMuted()` goes nowhere. */
export type OpenHost = (isMuted: () => boolean) => Promise<Evaluator>;

/** What undo or redo came to. */
export type Rewind =
  | { readonly kind: "done"; readonly entry: JournalEntry; readonly differences: readonly string[] }
  | { readonly kind: "nothing" }
  /** The replay was interrupted or ended its host; the session is as it was. */
  | { readonly kind: "failed" };

/** A running session. */
export class LiveSession {
  readonly #open: OpenHost;
  #evaluator: Evaluator;
  /** A host that replays, while it does. */
  #replaying: Evaluator | undefined;
  #entries: JournalEntry[] = [];
  #undone: JournalEntry[] = [];

  private constructor(open: OpenHost, evaluator: Evaluator) {
    this.#open = open;
    this.#evaluator = evaluator;
  }

  /** @throws {Error} if the host cannot be opened */
  static async start(open: OpenHost): Promise<LiveSession> {
    return new LiveSession(open, await open(() => false));
  }

  /** Lines that ran, oldest first. */
  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  get evaluator(): Evaluator {
    return this.#evaluator;
  }

  /** Evaluates a line of the session. */
  async run(source: string): Promise<Evaluation> {
    const evaluation = await this.#evaluator.evaluate(source);
    const entry = journalEntry(source, evaluation);
    if (entry !== undefined) {
      this.#entries.push(entry);
      this.#undone = [];
    }
    return evaluation;
  }

  print(value: ValueHandle, options: PrintOptions): Promise<string> {
    return this.#evaluator.print(value, options);
  }

  /** Takes the last line back. */
  async undo(): Promise<Rewind> {
    const entry = this.#entries.at(-1);
    if (entry === undefined) return { kind: "nothing" };
    let isMuted = true;
    const fresh = await this.#open(() => isMuted);
    this.#replaying = fresh;
    const replayed = await replay(this.#entries.slice(0, -1), fresh).finally(() =>
      this.#replaying = undefined
    );
    if (replayed === undefined) return { kind: "failed" };
    isMuted = false;
    const old = this.#evaluator;
    this.#evaluator = replayed.evaluator;
    this.#entries.pop();
    this.#undone.push(entry);
    await old.close();
    return { kind: "done", entry, differences: replayed.differences };
  }

  /** Runs the line again that was undone last. */
  async redo(): Promise<{ readonly entry: JournalEntry; readonly evaluation: Evaluation } | undefined> {
    const entry = this.#undone.at(-1);
    if (entry === undefined) return undefined;
    const undone = this.#undone.slice(0, -1);
    const evaluation = await this.run(entry.source);
    this.#undone = undone;
    return { entry, evaluation };
  }

  /** Stops what runs, a replay first. */
  interrupt(): Promise<Interruption> {
    return (this.#replaying ?? this.#evaluator).interrupt();
  }

  async close(): Promise<void> {
    await this.#replaying?.close();
    await this.#evaluator.close();
  }
}
