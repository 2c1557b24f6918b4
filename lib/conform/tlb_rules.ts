/**
 * Replays the table of what each operation must drop from the TLB: for every row a processor gets one cached
 * translation of each class, does the operation, and is looked at. What "must go" has to be gone; what "may stay" may
 * be there or not. The processor has the architectural caches, which keep as much as may be kept.
 *
 * @module
 */

import type { Report } from "./report.ts";
import { BadInput, type Format, numberedLines } from "./format.ts";
import { behaviourOf, type CachedPages, operationOf } from "./tlb_rule_operations.ts";

const HEADER =
  "op,condition,global_entries,nonglobal_current_pcid,nonglobal_other_pcids,paging_structure_caches,notes";

/** The format. */
export const tlbRules: Format = {
  name: "tlb-rules",
  detect: (head) => head.lines[0] === HEADER,
  async replay(input, report) {
    let isHeader = true;
    for await (const { text, where } of numberedLines(input)) {
      if (isHeader) {
        isHeader = false;
        continue;
      }
      const cells = splitCsv(text, where);
      const columns = HEADER.split(",").length;
      if (cells.length !== columns) {
        throw new BadInput(where, `the row has ${cells.length} columns, not ${columns}`);
      }
      replayRule(cells, where, report);
    }
  },
};

function replayRule(cells: readonly string[], where: string, report: Report): void {
  const [op, condition, ...columns] = cells as [string, string, ...string[]];
  const name = condition === "" ? op : `${op}, ${condition}`;
  const behaviour = behaviourOf(op);
  if (behaviour !== undefined) {
    const wrong = behaviour();
    if (wrong === undefined) report.pass();
    else report.fail(name, cells[6]!, wrong);
    return;
  }
  const operation = operationOf(op, condition);
  if (operation === undefined) return report.fail(name, "a known operation", "no model of this operation");
  const left = operation();
  const classes: [keyof CachedPages, string][] = [
    ["global", columns[0]!],
    ["current", columns[1]!],
    ["other", columns[2]!],
  ];
  for (const [kind, text] of classes) {
    const stays = left[kind].filter((page) => mustGo(text, page, where));
    if (stays.length > 0) {
      return report.fail(name, `${kind}: ${text}`, `${stays.join(" and ")} page still cached`);
    }
  }
  const structures = columns[3]!;
  for (const [kind, isOther] of [["structuresOfCurrent", false], ["structuresOfOther", true]] as const) {
    const stays = left[kind].filter((page) => mustStructuresGo(structures, isOther, page, where));
    if (stays.length > 0) {
      return report.fail(name, `${kind}: ${structures}`, `those of ${stays.join(" and ")} page still cached`);
    }
  }
  report.pass();
}

/**
 * What a cell says about a cached page: "page" is the one that contains the operation's address, "elsewhere" another.
 */
function mustGo(text: string, page: "page" | "elsewhere", where: string): boolean {
  if (text === "" || text.startsWith("may stay") || text.startsWith("not applicable")) return false;
  if (!text.includes("must go")) throw new BadInput(where, `"${text}" says neither "must go" nor "may stay"`);
  return page === "page" || /\ball\b/.test(text);
}

/** The same for the column of paging-structure caches, which names PCIDs in words. */
function mustStructuresGo(
  text: string,
  isOther: boolean,
  page: "page" | "elsewhere",
  where: string,
): boolean {
  if (text === "" || text.startsWith("may stay")) return false;
  if (!text.includes("must go")) throw new BadInput(where, `"${text}" says neither "must go" nor "may stay"`);
  if (text.startsWith("all PCIDs")) return true;
  return !isOther && (page === "page" || !text.startsWith("those used"));
}

/** Cells of a CSV line; quoted ones may hold commas. */
function splitCsv(text: string, where: string): string[] {
  const cells: string[] = [];
  for (let rest: string | undefined = text; rest !== undefined;) {
    const match: RegExpMatchArray | null = rest.match(/^(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)/);
    if (match === null) throw new BadInput(where, "the row has a quote that is not closed");
    cells.push((match[1] ?? match[2] ?? "").replaceAll('""', '"'));
    rest = match[0].endsWith(",") ? rest.slice(match[0].length) : undefined;
  }
  return cells;
}
