/**
 * `@std/text` through npm: typed doors, as in `assert.ts`. `core` has its own edit distance because it imports no
 * package; prompts and scripts use these.
 *
 * @module
 */

import { closestString as closest } from "deno-std/text/closest_string.js";
import { levenshteinDistance as levenshtein } from "deno-std/text/levenshtein_distance.js";

/** How {@linkcode closestString} compares. */
export interface ClosestStringOptions {
  /** Default false. */
  readonly caseSensitive?: boolean;
  /** Default {@linkcode levenshteinDistance}. */
  readonly compareFn?: (a: string, b: string) => number;
}

/** The word of a non-empty list that is most like `givenWord`. */
export const closestString: (
  givenWord: string,
  possibleWords: ReadonlyArray<string>,
  options?: ClosestStringOptions,
) => string = closest;

/** Insertions, deletions and replacements needed to turn one word into the other. */
export const levenshteinDistance: (str1: string, str2: string) => number = levenshtein;
