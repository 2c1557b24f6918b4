/**
 * Rows of the split experiment as a grid of designs × pages, with the words that picture and terminal twin share.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { designsOf } from "./design_axis.ts";
import type { SplitVerdictRow } from "./split_verdict.ts";
import { orderVerdicts, verdictStyle } from "./theme.ts";

/** One cell: its row, and the verdict as it is drawn. */
export interface SplitCell {
  readonly row: SplitVerdictRow;
  /** The row's verdict, or `no-page` for an unmapped page that was rightly refused. */
  readonly outcome: string;
}

/** What the chart is made from. */
export interface SplitGrid {
  /** In the order of the rows. */
  readonly designs: readonly string[];
  /** In ascending order. */
  readonly pages: readonly number[];
  readonly cells: readonly SplitCell[];
  /** Outcomes that occur, in the order of the legend. */
  readonly outcomes: readonly string[];
  /** One letter per path, for cells without room for the word. */
  readonly letters: ReadonlyMap<string, string>;
  /** `f = fast path, s = slow path`. */
  readonly letterKey: string;
  /** What a design's row comes to: `all right`, `4 wrong pages`, `1 ✗, 2 !`. */
  readonly answers: ReadonlyMap<string, string>;
  /** The same in symbols only: `all right`, `4 ✗`. */
  readonly counts: ReadonlyMap<string, string>;
  /** One sentence on what was done. */
  readonly summary: string;
  cell(design: string, page: number): SplitCell | undefined;
}

/** @throws {RangeError} if there are no rows, a page is not a whole number from 0, or a page of a design appears twice */
export function splitGrid(rows: readonly SplitVerdictRow[]): SplitGrid {
  if (rows.length === 0) throw new RangeError("Cannot draw a chart of split verdicts: there are no rows");
  const byPlace = new Map<string, SplitCell>();
  for (const row of rows) {
    if (!Number.isSafeInteger(row.page) || row.page < 0) {
      throw outOfRange(`draw ${row.design} page`, row.page, "it must be a whole number from 0");
    }
    const place = `${row.page} ${row.design}`;
    if (byPlace.has(place)) {
      throw outOfRange(`draw ${row.design} page`, row.page, "it appears twice");
    }
    byPlace.set(place, { row, outcome: outcomeOf(row) });
  }
  const designs = designsOf(rows);
  const pages = [...new Set(rows.map((row) => row.page))].sort((a, b) => a - b);
  const cells = [...byPlace.values()];
  const cellsOf = (design: string) => cells.filter((cell) => cell.row.design === design);
  const letters = lettersOf(rows.map((row) => row.path));
  return {
    designs,
    pages,
    cells,
    outcomes: orderVerdicts(cells.map((cell) => cell.outcome)),
    letters,
    letterKey: [...letters].map(([path, letter]) => `${letter} = ${path} path`).join(", "),
    answers: new Map(designs.map((design) => [design, answerOf(cellsOf(design))])),
    counts: new Map(designs.map((design) => [design, countOf(cellsOf(design))])),
    summary: summaryOf(pages, cells),
    cell: (design, page) => byPlace.get(`${page} ${design}`),
  };
}

/** With more kinds of failure than this, the cells themselves say which. */
const MANY_KINDS = 3;

const ERRNO = /^-?E[A-Z0-9]+$/;

function outcomeOf({ verdict, expected }: SplitVerdictRow): string {
  return verdict === "ok" && ERRNO.test(expected) ? "no-page" : verdict;
}

function failuresOf(cells: readonly SplitCell[]): SplitCell[] {
  return cells.filter((cell) => cell.outcome !== "ok" && cell.outcome !== "no-page");
}

function answerOf(cells: readonly SplitCell[]): string {
  const failures = failuresOf(cells);
  const [kind, ...others] = orderVerdicts(failures.map((cell) => cell.outcome));
  if (kind === undefined || others.length > 0) return countOf(cells);
  const errnos = new Set(failures.map((cell) => cell.row.reached));
  if (kind === "errno" && errnos.size === 1) return `${failures.length} ${failures[0]!.row.reached}`;
  const plural = failures.length > 1 && kind === "wrong-page" ? "s" : "";
  return `${failures.length} ${verdictStyle(kind).label}${plural}`;
}

function countOf(cells: readonly SplitCell[]): string {
  const failures = failuresOf(cells);
  if (failures.length === 0) return "all right";
  const count = (kind: string) => failures.filter((cell) => cell.outcome === kind).length;
  const kinds = orderVerdicts(failures.map((cell) => cell.outcome));
  if (kinds.length > MANY_KINDS) return `${failures.length} failures`;
  return kinds.map((kind) => `${count(kind)} ${verdictStyle(kind).symbol}`).join(", ");
}

function summaryOf(pages: readonly number[], cells: readonly SplitCell[]): string {
  const unmapped = new Set(
    cells.filter((cell) => ERRNO.test(cell.row.expected)).map((cell) => cell.row.page),
  );
  const holes = pages.filter((page) => unmapped.has(page));
  const done = `Direct I/O on ${pagesText(pages)} of one mapping of grants`;
  return holes.length === 0 ? done : `${done}; ${pagesText(holes)} unmapped before`;
}

/** `page 3`, `pages 0–7`, `pages 0, 2 and 5`; long lists become a count. */
function pagesText(pages: readonly number[]): string {
  const first = pages[0]!;
  const last = pages.at(-1)!;
  if (pages.length === 1) return `page ${first}`;
  if (last - first === pages.length - 1) return `pages ${first}–${last}`;
  return pages.length > 6 ? `${pages.length} pages` : `pages ${pages.slice(0, -1).join(", ")} and ${last}`;
}

/** The first letter of each path that no earlier path has; a path without one gets a question mark. */
function lettersOf(paths: readonly string[]): Map<string, string> {
  const letters = new Map<string, string>();
  for (const path of [...new Set(paths)].sort()) {
    const taken = new Set(letters.values());
    letters.set(path, [...path].find((letter) => letter.trim() !== "" && !taken.has(letter)) ?? "?");
  }
  return letters;
}
