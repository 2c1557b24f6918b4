/**
 * No fast walk: Linux before 2.6.27 had `get_user_pages` alone.
 *
 * @module
 */

import type { GupFastWalker } from "./walker.ts";

/** Finds nothing, so the slow path does everything. */
export const noGupFast: GupFastWalker = Object.freeze<GupFastWalker>({
  name: "none",
  walk(_mm, _start, _nrPages, _gupFlags, out) {
    out.bail = "no-table";
    out.detail = "there is no fast walk";
  },
});
