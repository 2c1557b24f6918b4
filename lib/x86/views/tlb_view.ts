/**
 * The contents of a processor's translation caches as people read them.
 *
 * @module
 */

import { hex } from "../../core/show.ts";
import { drawing, tableBlock, type View } from "../../core/view.ts";
import { ENTRY_NAME, PAGE_NAME } from "../levels.ts";
import type { TranslationCaches } from "../translation_caches.ts";

/** Entries by address, then how full each TLB and each paging-structure cache is. */
export function tlbView(caches: TranslationCaches): View {
  const entries = caches.entries().sort((a, b) => a.va < b.va ? -1 : a.va > b.va ? 1 : 0);
  const rows = entries.map((entry) => [
    hex(entry.va),
    PAGE_NAME[entry.level]!,
    entry.bank,
    entry.pcid === undefined ? "global" : hex(entry.pcid),
    hex(entry.frame),
    `${entry.writable ? "rw" : "r-"}${entry.executable ? "x" : "-"} ${entry.user ? "user" : "supervisor"}` +
    `${entry.dirty ? " dirty" : ""}`,
    String(entry.key),
  ]);
  const fill = caches.banks.map(({ name, tlb }) =>
    `${name}: ${tlb.size} of ${tlb.capacity} entries, ${tlb.setMask + 1} sets of ${tlb.ways}`
  );
  (caches.structures ?? []).forEach((tlb, level) => {
    if (tlb !== null) fill.push(`${ENTRY_NAME[level]} cache: ${tlb.size} of ${tlb.capacity} entries`);
  });
  const key = { header: "key", right: true } as const;
  return {
    line: `TLB: ${entries.length} entries live`,
    blocks: [tableBlock(["address", "page", "TLB", "pcid", "frame", "rights", key], rows), drawing(fill)],
  };
}
