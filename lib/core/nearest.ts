/**
 * Looking a name up in a table that people type names of: an unknown name is refused with the near ones.
 *
 * @module
 */

import { wrongType } from "./misuse.ts";
import { show } from "./show.ts";

/**
 * `table[name]`, or a clear refusal.
 *
 * @param what the kind of thing, for the message: `kernel flavour`
 * @throws {RangeError} if there is no such name: near names are suggested, else all are listed
 *
 * @example
 * ```ts
 * import { lookUp } from "grantlab/core";
 * if (lookUp("colour", { red: 1, green: 2 }, "red") !== 1) throw new Error();
 * try {
 *   lookUp("colour", { red: 1, green: 2 }, "gren");
 * } catch (e) {
 *   if (!(e as Error).message.includes('did you mean "green"')) throw e;
 * }
 * ```
 */
export function lookUp<T>(what: string, table: Readonly<Record<string, T>>, name: string): T {
  if (typeof name !== "string") throw wrongType(`find the ${what}`, name, "it must be a string");
  if (Object.hasOwn(table, name)) return table[name]!;
  throw new RangeError(
    `Cannot find the ${what} ${show(name)}: there is no such ${what}; ${nearHint(Object.keys(table), name)}`,
  );
}

/** The end of a refusal: names near to `name`, or all that there are. */
export function nearHint(names: readonly string[], name: string): string {
  const near = nearNames(names, name);
  return near.length > 0
    ? `did you mean ${near.map((n) => show(n)).join(" or ")}`
    : `there are ${names.join(", ")}`;
}

/**
 * Names that `name` may have been meant for, the nearest first.
 *
 * @example
 * ```ts
 * import { nearNames } from "grantlab/core";
 * if (nearNames(["red", "green"], "gren")[0] !== "green") throw new Error();
 * ```
 */
export function nearNames(names: readonly string[], name: string): string[] {
  return names
    .map((n) => ({ n, d: distance(n.toLowerCase(), name.toLowerCase()) }))
    .filter(({ n, d }) => d <= Math.max(2, n.length >> 2))
    .sort((a, b) => a.d - b.d)
    .map(({ n }) => n);
}

/** Edit distance by dynamic programming over one row. Names are short; `core` imports no package on purpose. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + cost));
    }
    row = next;
  }
  return row[b.length]!;
}
