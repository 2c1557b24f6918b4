/**
 * Machine memory in a line.
 *
 * @module
 */

import { hex } from "../../core/show.ts";
import type { View } from "../../core/view.ts";
import type { PhysMem } from "../phys_mem.ts";

/** How much there is, and how much of it was written. */
export function physMemView(mem: PhysMem): View {
  const mib = mem.nrFrames / 256;
  const size = mib >= 1 ? `${Math.round(mib)} MiB` : `${mem.nrFrames * 4} KiB`;
  return {
    line: `machine memory: ${hex(mem.nrFrames)} frames (${size}), ${mem.framesWithContent} with content`,
  };
}
