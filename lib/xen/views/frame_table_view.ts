/**
 * The frame table by owner and type. Single frames: `frame_view.ts`.
 *
 * @module
 */

import { tableBlock, type View } from "../../core/view.ts";
import type { FrameTable } from "../frame_table.ts";

/**
 * How many frames each domain owns, by type.
 *
 * @param typeNames by `PGT_*`; a frame of owner below 0 has none
 */
export function frameTableView(frames: FrameTable, typeNames: readonly string[]): View {
  const counts = new Map<string, number>();
  for (let row = 0; row < frames.nrRows; row++) {
    const mfn = frames.mfnOfRow(row);
    const owner = frames.owner(mfn);
    if (owner < 0) continue;
    const key = `${owner} ${typeNames[frames.type(mfn)]!}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const rows = [...counts].map(([key, n]) => [...key.split(" "), String(n)]);
  return {
    line: `frame table: ${frames.nrOwned} of ${frames.nrFrames} frames owned`,
    blocks: [
      tableBlock([{ header: "domain", right: true }, "type", { header: "frames", right: true }], rows),
    ],
  };
}
