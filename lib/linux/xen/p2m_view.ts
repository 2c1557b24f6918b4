/**
 * The p2m by runs: neighbouring entries that lead to neighbouring frames with the same mark are one row.
 *
 * @module
 */

import { hex } from "../../core/show.ts";
import { tableBlock, type View } from "../../core/view.ts";
import type { P2m } from "./p2m.ts";

/** Runs of the list. */
export function p2mView(p2m: P2m): View {
  const rows: string[][] = [];
  let run: { first: number; text: string; n: number; next: string } | undefined;
  const close = () => {
    if (run !== undefined) {
      rows.push([hex(run.first), String(run.n), run.n === 1 ? run.text : `${run.text} …`]);
    }
  };
  for (let pfn = 0; pfn < p2m.size; pfn++) {
    const text = p2m.describe(pfn);
    if (run !== undefined && text === run.next) {
      run.n++;
      run.next = after(text);
      continue;
    }
    close();
    run = { first: pfn, text, n: 1, next: after(text) };
  }
  close();
  return {
    line: `p2m of ${p2m.size} entries in ${rows.length} runs; pfns from ${hex(p2m.size)} on read as IDENTITY`,
    blocks: [tableBlock(["pfn", { header: "entries", right: true }, "frame"], rows)],
  };
}

/** The description that continues a run. */
function after(text: string): string {
  return text.replace(/0x([0-9a-f]+)/, (_, digits: string) => hex(Number.parseInt(digits, 16) + 1));
}
