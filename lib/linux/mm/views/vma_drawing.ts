/**
 * VMAs as letters, one a page, as in the test suite of Linux: `AAAABBB..CC`. Neighbours have different letters, a
 * dot is a page that nothing maps. Before and after on one scale show a split or a merge.
 *
 * @module
 */

import { PAGE_SIZE } from "../../../core/geometry.ts";
import { hex } from "../../../core/show.ts";

/** What a drawing needs of a VMA. */
export interface DrawnRange {
  readonly start: number;
  readonly end: number;
}

/** Pages of a hole up to which both sides are drawn on one line. */
const SMALL_HOLE = 16;
/** Letters of one VMA that are drawn; a longer one says how many pages it has. */
const MOST_LETTERS = 40;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/**
 * Lines of a drawing: one per group of VMAs without a large hole between them, its first address before it.
 *
 * @param most lines; the rest is counted in a last one
 *
 * @example
 * ```ts
 * import { drawVmas } from "grantlab/linux/mm";
 * const lines = drawVmas([{ start: 0x1000, end: 0x3000 }, { start: 0x4000, end: 0x5000 }]);
 * if (lines.join() !== "0x1000  AA.B") throw new Error(lines.join());
 * ```
 */
export function drawVmas(vmas: Iterable<DrawnRange>, most = 40): string[] {
  const lines: { readonly start: number; text: string }[] = [];
  let last: DrawnRange | undefined;
  let i = 0;
  let hidden = 0;
  for (const vma of vmas) {
    const hole = last === undefined ? Infinity : (vma.start - last.end) / PAGE_SIZE;
    last = vma;
    const piece = letters(LETTERS[i++ % LETTERS.length]!, (vma.end - vma.start) / PAGE_SIZE);
    if (hidden > 0 || hole > SMALL_HOLE && lines.length === most) hidden++;
    else if (hole > SMALL_HOLE) lines.push({ start: vma.start, text: piece });
    else lines.at(-1)!.text += ".".repeat(hole) + piece;
  }
  const width = Math.max(0, ...lines.map(({ start }) => hex(start).length));
  const drawn = lines.map(({ start, text }) => `${hex(start).padEnd(width)}  ${text}`);
  return hidden === 0 ? drawn : [...drawn, `… ${hidden} more VMAs`];
}

function letters(letter: string, nrPages: number): string {
  if (nrPages <= MOST_LETTERS) return letter.repeat(nrPages);
  return `${letter.repeat(4)}…(${nrPages})…${letter.repeat(4)}`;
}

/** Page numbers from which drawings of a long range leave pages out: those near no bound. */
const NEAR = 6;

/**
 * What changed, before over after on one scale; empty if nothing did. Stretches in which neither side has a bound
 * are shortened.
 *
 * @example
 * ```ts
 * import { drawChange } from "grantlab/linux/mm";
 * const before = [{ start: 0x1000, end: 0x4000 }];
 * const after = [{ start: 0x1000, end: 0x2000 }, { start: 0x3000, end: 0x4000 }];
 * if (drawChange(before, after).slice(1).join() !== "before  AAA,after   A.B") throw new Error();
 * ```
 */
export function drawChange(before: readonly DrawnRange[], after: readonly DrawnRange[]): string[] {
  const key = ({ start, end }: DrawnRange) => `${start} ${end}`;
  const [was, is] = [new Set(before.map(key)), new Set(after.map(key))];
  const gone = before.filter((vma) => !is.has(key(vma)));
  const made = after.filter((vma) => !was.has(key(vma)));
  const changed = [...gone, ...made];
  if (changed.length === 0) return [];
  const start = changed.reduce((least, vma) => Math.min(least, vma.start), Infinity);
  const end = changed.reduce((most, vma) => Math.max(most, vma.end), 0);
  const bounds = changed.flatMap((vma) => [vma.start, vma.end]);
  const shown = pagesNear(bounds, start, end);
  return [
    `${hex(start)}–${hex(end)}`,
    `before  ${onScale(gone, shown)}`,
    `after   ${onScale(made, shown)}`,
  ];
}

/** Addresses of the pages to draw, in order. A gap between two stands for all pages left out. */
function pagesNear(bounds: readonly number[], start: number, end: number): number[] {
  const pages = new Set<number>();
  for (const bound of bounds) {
    for (let i = -NEAR; i < NEAR; i++) {
      const at = bound + i * PAGE_SIZE;
      if (at >= start && at < end) pages.add(at);
    }
  }
  return [...pages].sort((a, b) => a - b);
}

function onScale(vmas: readonly DrawnRange[], pages: readonly number[]): string {
  let text = "";
  pages.forEach((at, k) => {
    if (k > 0 && at !== pages[k - 1]! + PAGE_SIZE) text += "…";
    const i = vmas.findIndex((vma) => at >= vma.start && at < vma.end);
    text += i < 0 ? "." : LETTERS[i % LETTERS.length]!;
  });
  return text;
}
