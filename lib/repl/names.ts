/**
 * What Tab offers: commands after a dot at the start, flavours inside quotes, else names of the session and members
 * of its live objects.
 *
 * @module
 */

import { commandNames } from "./commands/mod.ts";
import type { Evaluator } from "./evaluator.ts";
import { scan } from "./scan.ts";

/** Names that may follow, as whole replacements of the text from an index on. */
export interface Offer {
  readonly from: number;
  readonly names: readonly string[];
}

/** Where a session keeps the names that stand in quotes: `world({ kernel: "linux6_1" })`, `compare("split_then_pin")`. */
const QUOTED_IN = ["KERNEL_FLAVOURS", "XEN_FLAVOURS", "EXPERIMENTS"] as const;

/** Names for the text before the cursor. */
export async function namesFor(evaluator: Evaluator, prefix: string): Promise<Offer> {
  const command = /^\s*(\.[a-z]*)$/.exec(prefix);
  if (command !== null) return beginning(commandNames(), command[1]!, prefix);
  const quoted = /["'](\w*)$/.exec(prefix);
  if (quoted === null || scan(prefix).within !== "string") return await evaluator.complete(prefix);
  const found: string[] = [];
  for (const table of QUOTED_IN) found.push(...(await evaluator.complete(`${table}.`)).names);
  return beginning(found, quoted[1]!, prefix);
}

function beginning(names: readonly string[], word: string, prefix: string): Offer {
  return { from: prefix.length - word.length, names: names.filter((name) => name.startsWith(word)) };
}
