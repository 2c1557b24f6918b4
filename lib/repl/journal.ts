/**
 * A session as the list of its lines, so that it can be undone, done again and saved.
 *
 * Undo is replay: all lines but the last run again, silently, on a fresh host. The model is deterministic, so the
 * world comes back as it was, bit by bit, with `w`, every object and every variable of the session. A copy of the
 * objects was the other way; it would have to reach into the private state of every class and into closures, and a
 * class that is forgotten would be wrong silently. The price of replay is time, and that what reaches outside the
 * session (clock, files, network, random numbers) happens again.
 *
 * @module
 */

import type { Evaluation, Evaluator } from "./evaluator.ts";

/** One line that ran. */
export interface JournalEntry {
  readonly source: string;
  readonly outcome: "value" | "error" | "interrupt";
  /** Message of an error. */
  readonly message?: string;
  /** The value was shown: it is not `undefined`. */
  readonly isShown: boolean;
}

/** What a replay came to. */
export interface Replay {
  readonly evaluator: Evaluator;
  /** What came out differently than the first time, for people. */
  readonly differences: readonly string[];
}

/** The entry for what became of a source; nothing for what never ran. */
export function journalEntry(source: string, evaluation: Evaluation): JournalEntry | undefined {
  if (evaluation.kind === "ended") return undefined;
  if (evaluation.kind === "value") {
    return { source, outcome: "value", isShown: evaluation.value.type !== "undefined" };
  }
  if (evaluation.phase === "syntax") return undefined;
  const outcome = evaluation.phase === "interrupt" ? "interrupt" : "error";
  return { source, outcome, message: evaluation.message, isShown: false };
}

/**
 * Runs entries on a fresh host. Lines that were interrupted are left out: where they stopped cannot be repeated.
 *
 * @returns undefined if the fresh host ended or was interrupted; it is closed then
 */
export async function replay(
  entries: readonly JournalEntry[],
  evaluator: Evaluator,
): Promise<Replay | undefined> {
  const differences: string[] = [];
  for (const entry of entries) {
    if (entry.outcome === "interrupt") {
      differences.push(`left out, it was interrupted: ${firstLine(entry.source)}`);
      continue;
    }
    const evaluation = await evaluator.evaluate(entry.source);
    if (evaluation.kind === "ended" || evaluation.kind === "error" && evaluation.phase === "interrupt") {
      await evaluator.close();
      return undefined;
    }
    const now = journalEntry(entry.source, evaluation);
    if (now?.outcome !== entry.outcome || now.message !== entry.message) {
      differences.push(`came out differently: ${firstLine(entry.source)}: ${now?.message ?? "no error now"}`);
    }
  }
  return { evaluator, differences };
}

/** The beginning of a source, for messages. */
export function firstLine(source: string): string {
  const [line = ""] = source.split("\n");
  return line === source && line.length <= 60 ? line : `${line.slice(0, 60)}…`;
}
