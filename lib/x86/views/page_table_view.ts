/**
 * Page tables as ranges: neighbouring leaves that lead to neighbouring frames with the same rights are one row.
 *
 * @module
 */

import type { Mfn } from "../../core/frames.ts";
import { PAGE_SIZE } from "../../core/geometry.ts";
import { hex } from "../../core/show.ts";
import { tableBlock, type View } from "../../core/view.ts";
import { leavesOf } from "../leaves.ts";
import { FRAMES_PER_ENTRY, PAGE_NAME } from "../levels.ts";
import type { PhysMem } from "../phys_mem.ts";
import { _PAGE_ACCESSED, _PAGE_DIRTY, describeEntry } from "../pte.ts";

/** Leaves that continue each other. Accessed and dirty bits make no difference. */
export interface PageRange {
  readonly va: bigint;
  readonly frame: number;
  readonly level: number;
  /** Packed flags without accessed and dirty. */
  readonly flags: number;
  pages: number;
}

/** The ranges under a top table, in the order of the leaves, at most `most`. */
export function pageRanges(mem: PhysMem, root: number, levels: 4 | 5, most = Infinity): PageRange[] {
  const ranges: PageRange[] = [];
  for (const leaf of leavesOf(mem, root, levels)) {
    const flags = leaf.flags & ~(_PAGE_ACCESSED | _PAGE_DIRTY);
    const last = ranges.at(-1);
    const step = FRAMES_PER_ENTRY[leaf.level]!;
    if (
      last !== undefined && last.level === leaf.level && last.flags === flags &&
      leaf.va === last.va + BigInt(last.pages * step * PAGE_SIZE) &&
      leaf.frame === last.frame + last.pages * step
    ) last.pages++;
    else if (ranges.length === most) return ranges;
    else ranges.push({ va: leaf.va, frame: leaf.frame, level: leaf.level, flags, pages: 1 });
  }
  return ranges;
}

/** Ranges of a tree of tables. */
export function pageTableView(mem: PhysMem, root: number, levels: 4 | 5): View {
  const ranges = pageRanges(mem, root, levels);
  const nrPages = ranges.reduce((sum, { pages }) => sum + pages, 0);
  const rows = ranges.map(({ va, frame, level, flags, pages }) => {
    const step = FRAMES_PER_ENTRY[level]!;
    return [
      hex(va),
      hex(va + BigInt(pages * step * PAGE_SIZE)),
      String(pages),
      PAGE_NAME[level]!,
      pages === 1 ? hex(frame) : `${hex(frame)}–${hex(frame + (pages - 1) * step)}`,
      describeEntry(frame as Mfn, flags).replace(/^frame \S+ /, ""),
    ];
  });
  return {
    line: `page table at frame ${hex(root)}: ${nrPages} pages in ${ranges.length} ranges`,
    blocks: [
      tableBlock(["from", "to", { header: "pages", right: true }, "size", "frames", "flags"], rows),
    ],
  };
}
