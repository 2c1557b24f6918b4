/**
 * Records of options as people type them: a name that nothing reads would be ignored in silence, so it is refused.
 *
 * @module
 */

import { outOfRange, wrongType } from "./misuse.ts";
import { nearHint } from "./nearest.ts";

/**
 * Checks that `options` is a record with no other names than those known.
 *
 * @param of what takes them, for the message: `world()`
 * @param known a member for each name, `"boolean"` for what is true or false; `Record<keyof Options, true>`, or a table of defaults, keeps the two from drifting
 *   apart
 * @throws {TypeError} if it is no record, or a member that the table calls `"boolean"` is not true or false
 * @throws {RangeError} for a name that is not known: near names are suggested
 *
 * @example
 * ```ts
 * import { knownOptions } from "grantlab/core";
 * knownOptions("paint()", { colour: "red" }, { colour: true });
 * try {
 *   knownOptions("paint()", { color: "red" }, { colour: true });
 * } catch (e) {
 *   if (!(e as Error).message.includes('did you mean "colour"')) throw e;
 * }
 * ```
 */
export function knownOptions(of: string, options: unknown, known: object): void {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    throw wrongType(`give ${of}`, options, "it must be a record of options");
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      const hint = nearHint(Object.keys(known), name);
      throw outOfRange(`give ${of} the option`, name, `there is no such option; ${hint}`);
    }
    const kind = (known as Readonly<Record<string, unknown>>)[name];
    if (kind === "boolean" && value !== undefined && typeof value !== "boolean") {
      throw wrongType(`give ${of} as ${name}`, value, "it must be true or false");
    }
  }
}
