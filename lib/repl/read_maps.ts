/**
 * `/proc/PID/maps` by process number, from a file, or as text.
 *
 * @module
 */

import { wholeNumber, wrongType } from "../core/misuse.ts";
import { show } from "../core/show.ts";
import { type ImportedProcess, importProcMaps } from "../import/proc_maps.ts";

/**
 * A real process to look at and to cut up: live by its number (`"self"` is this process), from a saved copy by the
 * path of the file, or from the text itself.
 *
 * @throws {Error} if there is no such process or file, or it may not be read
 * @throws {SyntaxError} if a line is bad: number, text, reason
 * @throws {TypeError} if it is neither a number nor a string
 *
 * @example
 * ```ts
 * import { readMaps } from "grantlab";
 * const real = readMaps("00400000-00404000 rw-p 00000000 00:00 0 [heap]\n");
 * if (real.maps.rows[0]?.name !== "[heap]") throw new Error(String(real));
 * ```
 */
export function readMaps(what: number | string): ImportedProcess {
  if (typeof what !== "number" && typeof what !== "string") {
    throw wrongType("read the maps of", what, "it must be a process number, a path or the text");
  }
  if (typeof what === "number") wholeNumber("read the maps of process", what, 1, 2 ** 22);
  if (typeof what === "string" && /^[0-9a-f]+-[0-9a-f]+ |\n/.test(what)) return importProcMaps(what);
  const path = typeof what === "number" || what === "self" ? `/proc/${what}/maps` : what;
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    // Without all rights Deno refuses an empty path before it looks.
    const reason = error instanceof Deno.errors.NotFound || path === ""
      ? typeof what === "number" ? `there is no process ${what}` : "there is no such file"
      : error instanceof Deno.errors.IsADirectory
      ? "it is a folder"
      : (error as Error).message;
    throw new Error(`Cannot read ${path === "" ? show(path) : path}: ${reason}`, { cause: error });
  }
  return importProcMaps(text);
}
