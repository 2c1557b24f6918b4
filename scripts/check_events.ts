/**
 * Holds the table of events to the code: each row is emitted by a primitive somewhere in `lib`, and priced by every
 * price list. A row that no code emits yet stands in {@linkcode AWAITED} with what will emit it; once something does,
 * the row must leave that list.
 *
 * ```sh
 * deno run --allow-read scripts/check_events.ts
 * ```
 *
 * @module
 */

import { EVENT_KINDS, type EventKind } from "../lib/trace/events.ts";
import { conclude, type Finding } from "./gate/finding.ts";
import { filesBelow, readText } from "./gate/project_files.ts";

const TABLE = "lib/trace/events.ts";

/** Rows that the code present does not emit, and what is to come that will. */
const AWAITED: Readonly<Partial<Record<EventKind, string>>> = {};

if (import.meta.main) {
  const sources = filesBelow("lib", [".ts"]).filter((f) => f !== TABLE).map(readFile);
  // Lists in instructions hold what recordings tell, not a price for everything.
  const lists = filesBelow("lib/cost", [".json"]).filter((f) => !f.startsWith("lib/cost/instructions/")).map(
    readFile,
  );
  conclude(
    [...findSilent(EVENT_KINDS, sources, AWAITED), ...findUnpriced(EVENT_KINDS, lists)],
    `${EVENT_KINDS.length} events`,
  );
}

/** A file with its text. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

function readFile(file: string): Source {
  return { file, text: readText(file) };
}

/** Events that no code emits (`EV.kind`) and nobody awaits; and those awaited that are emitted. */
export function findSilent(
  kinds: readonly string[],
  sources: readonly Source[],
  awaited: Readonly<Record<string, string>> = {},
): Finding[] {
  const emitted = new Set<string>();
  for (const { text } of sources) {
    // Examples in comments emit nothing.
    const code = text.replace(/^\s*(?:\/?\*|\/\/).*$/gm, "");
    for (const match of code.matchAll(/\bEV(?:\.(\w+)|\["(\w+)"\])/g)) emitted.add(match[1] ?? match[2]!);
  }
  const findings: Finding[] = [];
  for (const kind of kinds) {
    const isAwaited = Object.hasOwn(awaited, kind);
    if (!emitted.has(kind) && !isAwaited) findings.push({ file: TABLE, reason: `${kind}: no code emits it` });
    if (emitted.has(kind) && isAwaited) {
      findings.push({
        file: "scripts/check_events.ts",
        reason: `${kind} is emitted now: take it out of AWAITED`,
      });
    }
  }
  return findings;
}

/** Events without a price in a price list (a JSON file with `prices`), and prices of no event. */
export function findUnpriced(kinds: readonly string[], lists: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  for (const { file, text } of lists) {
    const prices: unknown = (JSON.parse(text) as { prices?: unknown }).prices;
    if (typeof prices !== "object" || prices === null) continue;
    for (const kind of kinds) {
      if (!Object.hasOwn(prices, kind)) findings.push({ file, reason: `${kind}: no price` });
    }
    for (const kind of Object.keys(prices)) {
      if (!kinds.includes(kind)) findings.push({ file, reason: `${kind}: there is no such event` });
    }
  }
  return findings;
}
