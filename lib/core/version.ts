/**
 * The version of this library, for rows that say where they come from. A test holds it to `deno.json`.
 *
 * @module
 */

/** As in `deno.json`. */
export const VERSION = "0.1.0";
