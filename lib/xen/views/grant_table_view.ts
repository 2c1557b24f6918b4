/**
 * The granter's side of a table without the memory that it shares: frames and active entries. The entries decoded
 * are in `grant_entry_view.ts`.
 *
 * @module
 */

import { hex } from "../../core/show.ts";
import { listed, tableBlock, type View } from "../../core/view.ts";
import type { GrantTable } from "../grant_table.ts";
import { describePin } from "../pin.ts";

/** Frames, and what is pinned. */
export function grantTableView(table: GrantTable): View {
  const pinned: string[][] = [];
  for (let ref = 0; ref < table.nrEntries; ref++) {
    if (table.pin[ref] === 0) continue;
    const { hstw, hstr, devw, devr } = describePin(table.pin[ref]!);
    pinned.push([
      String(ref),
      String(table.domid[ref]),
      hex(table.mfn[ref]!),
      ...[hstw, hstr, devw, devr].map(String),
    ]);
  }
  const right = (header: string) => ({ header, right: true }) as const;
  return {
    line: `grant table: version ${table.version}, ${table.nrFrames} of at most ${table.maxFrames} frames ` +
      `(${
        listed(table.sharedFrames.map((frame) => hex(frame)))
      }), ${pinned.length} of ${table.nrEntries} entries pinned`,
    blocks: [
      tableBlock(
        [
          right("ref"),
          right("by domain"),
          "frame",
          right("host rw"),
          right("host r"),
          right("device rw"),
          right("device r"),
        ],
        pinned,
      ),
    ],
  };
}
