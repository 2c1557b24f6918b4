/**
 * An address space before and after: a strip of pages each, one cell a page, one colour a VMA, holes empty; in each cell
 * the frame behind it.
 *
 * @module
 */

import { outOfRange } from "../core/misuse.ts";
import { fitLeft, truncate, wrapParts, wrapWords } from "../core/text_fit.ts";
import { tint } from "./ansi.ts";
import { framed } from "./chart_frame.ts";
import { type ChartOptions, Figure } from "./figure.ts";
import type { VegaLiteSpec } from "./spec.ts";
import { PAPER } from "./theme.ts";

/** One page in one strip. */
export interface PageRow {
  /** Name of the strip: `before`, `after`. */
  readonly when: string;
  /** Number of the page, counted from the start of the mapping. */
  readonly page: number;
  /** Name of its VMA: a letter; empty for a hole. */
  readonly vma: string;
  /** What is behind the page, in few characters. */
  readonly frame?: string;
}

// Pale, so that the text in a cell can be read on each.
const VMA_COLOURS = ["#cfe3f1", "#fbe3b3", "#c9e8dd", "#f0d9e6", "#e2d6c9", "#dcdcf5"] as const;
const HOLE = "#ffffff";
/** Cells for text; more pages get none. */
const MOST_CELLS_WITH_TEXT = 16;
const MOST_PAGES = 256;
const WIDTH = 680;

/**
 * Chart of {@linkcode PageRow}s.
 *
 * @throws {RangeError} if there are no rows, more than 256 pages, or a page twice in a strip
 *
 * @example
 * ```ts
 * import { addressSpace } from "grantlab/plots";
 * const strip = (when: string, letters: string) => [...letters].map((vma, page) => ({ when, page, vma: vma === "." ? "" : vma }));
 * const text = addressSpace([...strip("before", "AAAA"), ...strip("after", "AA.B")]).toText();
 * if (!text.includes("before  AAAA") || !text.includes("after   AA.B")) throw new Error(text);
 * ```
 */
export function addressSpace(rows: readonly PageRow[], options: ChartOptions = {}): Figure<PageRow> {
  const places = new Set<string>();
  for (const { when, page } of rows) {
    if (!Number.isSafeInteger(page) || page < 0) {
      throw outOfRange("draw page", page, "it must be a whole number from 0");
    }
    if (places.has(`${page} ${when}`)) throw outOfRange(`draw page ${page} of`, when, "it appears twice");
    places.add(`${page} ${when}`);
  }
  const pages = [...new Set(rows.map((row) => row.page))].sort((a, b) => a - b);
  if (pages.length > MOST_PAGES) {
    throw outOfRange("draw pages, of number", pages.length, `${MOST_PAGES} is the most`);
  }
  const title = options.title ?? "The address space, before and after";
  const subtitle = options.subtitle ?? "";
  const strips = [...new Set(rows.map((row) => row.when))];
  const size = { width: WIDTH, height: 110 + strips.length * 46 };
  return new Figure({
    title,
    rows,
    size,
    spec: framed({ title, subtitle, size }, specOf(rows, pages, strips)),
    text: (width, { colour }) => textOf(rows, strips, [title, subtitle], width, colour),
  });
}

function namesOf(rows: readonly PageRow[]): string[] {
  return [...new Set(rows.map((row) => row.vma).filter((vma) => vma !== ""))].sort();
}

function colourOf(names: readonly string[], vma: string): string {
  return vma === "" ? HOLE : VMA_COLOURS[names.indexOf(vma) % VMA_COLOURS.length]!;
}

function specOf(
  rows: readonly PageRow[],
  pages: readonly number[],
  strips: readonly string[],
): Partial<VegaLiteSpec> {
  const names = namesOf(rows);
  const hasText = pages.length <= MOST_CELLS_WITH_TEXT;
  const values = rows.map((row) => ({
    ...row,
    colour: colourOf(names, row.vma),
    label: row.vma === "" ? "hole" : row.vma,
    below: row.frame ?? "",
  }));
  const x = {
    field: "page",
    type: "ordinal",
    title: "page",
    axis: { labelAngle: 0, orient: "bottom", labelOverlap: true, domain: false, ticks: false },
  };
  const y = {
    field: "when",
    type: "nominal",
    sort: strips,
    title: null,
    axis: { domain: false, ticks: false, labelFontSize: 12 },
    scale: { paddingInner: 0.3 },
  };
  const text = (field: string, dy: number, weight: string, ink: string) => ({
    mark: { type: "text", baseline: "middle", dy, fontWeight: weight, fontSize: 10.5, color: ink },
    encoding: { x, y, text: { field } },
  });
  return {
    data: { values },
    layer: [
      {
        mark: { type: "rect", stroke: PAPER.line, strokeWidth: 0.8 },
        encoding: { x, y, fill: { field: "colour", type: "nominal", scale: null, legend: null } },
      },
      ...(hasText
        ? [text("label", -6, "bold", PAPER.text), text("below", 7, "normal", PAPER.quietText)]
        : []),
    ],
    resolve: { scale: { x: "shared" } },
  };
}

function textOf(
  rows: readonly PageRow[],
  strips: readonly string[],
  headings: readonly string[],
  width: number,
  colour: boolean,
): string {
  const names = namesOf(rows);
  const label = Math.max(...strips.map((when) => when.length));
  const lines = headings.flatMap((text) => wrapWords(text, width));
  lines.push("");
  const keys: string[] = [];
  for (const when of strips) {
    const own = rows.filter((row) => row.when === when).sort((a, b) => a.page - b.page);
    const letters = own.slice(0, width - label - 2).map((row) =>
      row.vma === "" ? "." : tint(row.vma.slice(0, 1), colourOf(names, row.vma), colour)
    );
    lines.push(`${fitLeft(when, label)}  ${letters.join("")}`);
    const frames = own.filter((row) => row.frame !== undefined && row.frame !== "").map((row) =>
      `${row.page}:${row.frame}`
    );
    if (frames.length > 0) keys.push(...wrapParts([when, ...frames], " ", width));
  }
  return [...lines, ...(keys.length > 0 ? ["", ...keys] : [])].map((line) =>
    colour ? line : truncate(line, width)
  ).join("\n");
}
