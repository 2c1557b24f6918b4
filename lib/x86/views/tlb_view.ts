/**
 * The contents of a TLB as people read it.
 *
 * @module
 */

import { hex } from "../../core/show.ts";
import { tableBlock, type View } from "../../core/view.ts";
import { PAGE_NAME } from "../levels.ts";
import type { Tlb } from "../tlb.ts";

/** Entries by address. */
export function tlbView(tlb: Tlb): View {
  const entries = tlb.entries().sort((a, b) => a.va < b.va ? -1 : a.va > b.va ? 1 : 0);
  const rows = entries.map((entry) => [
    hex(entry.va),
    PAGE_NAME[entry.level]!,
    entry.pcid === undefined ? "global" : hex(entry.pcid),
    hex(entry.frame),
    `${entry.writable ? "rw" : "r-"}${entry.executable ? "x" : "-"} ${entry.user ? "user" : "supervisor"}`,
    String(entry.key),
  ]);
  return {
    line: `TLB: ${entries.length} of ${tlb.tagLo.length} entries live`,
    blocks: [
      tableBlock(["address", "page", "pcid", "frame", "rights", { header: "key", right: true }], rows),
    ],
  };
}
