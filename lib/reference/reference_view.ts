/**
 * The reference of an address space: page by page what must be reached.
 *
 * @module
 */

import { PAGE_SIZE } from "../core/geometry.ts";
import { hex } from "../core/show.ts";
import { tableBlock, type View } from "../core/view.ts";

/**
 * Pages by address.
 *
 * @param own ranges of pages whose frames only the processor knows
 */
export function referenceView(
  pages: ReadonlyMap<number, { readonly frame: number | null; readonly prot: number }>,
  own: readonly (readonly [first: number, end: number])[],
): View {
  const rows = [...pages].sort(([a], [b]) => a - b).map(([page, { frame, prot }]) => [
    hex(page * PAGE_SIZE),
    frame === null ? "nothing" : hex(frame),
    `${prot & 1 ? "r" : "-"}${prot & 2 ? "w" : "-"}${prot & 4 ? "x" : "-"}`,
  ]);
  return {
    line: `reference: ${pages.size} pages`,
    blocks: [
      tableBlock(["page", "must reach frame", "rights"], rows),
      tableBlock(
        ["from", "to"],
        own.map(([first, end]) => [hex(first * PAGE_SIZE), hex(end * PAGE_SIZE)]),
        { caption: "the process's own memory" },
      ),
    ],
  };
}
