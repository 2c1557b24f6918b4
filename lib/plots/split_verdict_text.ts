/**
 * Terminal twin of the split-verdict chart. The grid is written with the path's word beside each symbol if that fits
 * the width, else with its letter, else with the symbol alone; pages that still do not fit go into further blocks.
 *
 * @module
 */

import { paint, tint } from "./ansi.ts";
import type { SplitGrid } from "./split_grid.ts";
import { columnsOf, fitLeft, fitRight, wrapParts, wrapWords } from "../core/text_fit.ts";
import { designStyle, verdictStyle } from "./theme.ts";

/** What the twin is drawn from. */
export interface SplitVerdictTextInput {
  readonly grid: SplitGrid;
  readonly title: string;
  readonly subtitle: string;
  /** Greatest number of columns. */
  readonly width: number;
  readonly colour: boolean;
}

/** From this many pages on, a block of symbols alone says more than many blocks with letters. */
const MANY_PAGES = 64;
const LONGEST_LABEL = 16;

interface CellForm {
  /** Columns of one cell, its blank included. */
  readonly width: number;
  /** Columns for all cells of a line. */
  readonly room: number;
  /** What is written beside the symbol. */
  readonly path: (path: string) => string;
  /** What stands at the end of a design's line. */
  readonly answers: ReadonlyMap<string, string>;
}

/** The chart as text without a final newline. */
export function splitVerdictText(input: SplitVerdictTextInput): string {
  const { grid, title, subtitle, width } = input;
  const labels = grid.designs.map((design) => designStyle(design).label);
  const labelWidth = Math.min(LONGEST_LABEL, Math.max(...labels.map(columnsOf)));
  const form = chooseForm(grid, width - (2 + labelWidth + 3) - 2); // "■ label │ " and "│ "
  const perBlock = pagesPerBlock(grid.pages.length, Math.floor(form.room / form.width));
  const lines = [...wrapWords(title, width), ...wrapWords(subtitle, width)];
  for (let first = 0; first < grid.pages.length; first += perBlock) {
    lines.push("", ...block(input, grid.pages.slice(first, first + perBlock), form, labelWidth));
  }
  lines.push("", ...legend(input, form.width === 3));
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** The widest form in which all pages fit one line, given the columns for cells and answers; else a narrow one. */
function chooseForm(grid: SplitGrid, columns: number): CellForm {
  const roomBeside = (answers: ReadonlyMap<string, string>) =>
    columns - Math.max(...[...answers.values()].map(columnsOf));
  const longest = Math.max(...[...grid.letters.keys()].map(columnsOf));
  const words: CellForm = {
    width: longest + 2,
    room: roomBeside(grid.answers),
    path: (path) => fitLeft(path, longest),
    answers: grid.answers,
  };
  if (words.width * grid.pages.length <= words.room) return words;
  const letters: CellForm = {
    width: 3,
    room: roomBeside(grid.counts),
    path: (path) => grid.letters.get(path)!,
    answers: grid.counts,
  };
  return grid.pages.length < MANY_PAGES ? letters : { ...letters, width: 1, path: () => "" };
}

/** All of them if they fit, else a multiple of 8 if one fits, so that rulers line up. */
function pagesPerBlock(nrPages: number, fit: number): number {
  if (nrPages <= fit) return nrPages;
  return fit >= 8 ? fit - fit % 8 : Math.max(1, fit);
}

function block(
  { grid, colour }: SplitVerdictTextInput,
  pages: readonly number[],
  form: CellForm,
  labelWidth: number,
): string[] {
  const bar = "─".repeat(pages.length * form.width + 1);
  return [
    `${fitRight("page", labelWidth + 2)} │ ${ruler(pages, form.width)}`,
    `${"─".repeat(labelWidth + 3)}┼${bar}┤`,
    ...grid.designs.map((design) => {
      const cells = pages.map((page) => {
        const cell = grid.cell(design, page);
        if (cell === undefined) return " ".repeat(form.width);
        const style = verdictStyle(cell.outcome);
        const written = style.symbol + form.path(cell.row.path);
        return paint(written, style.terminal, colour) + " ".repeat(form.width - columnsOf(written));
      });
      const { label, colour: own } = designStyle(design);
      const answer = form.answers.get(design)!;
      return `${tint("■", own, colour)} ${fitLeft(label, labelWidth)} │ ${cells.join("")}│ ${answer}`;
    }),
  ];
}

/** Page numbers above the cells; every 2nd, 4th, … if they are too narrow for all. */
function ruler(pages: readonly number[], cellWidth: number): string {
  const longest = Math.max(...pages.map((page) => String(page).length));
  let step = 1;
  while (step * cellWidth < longest + 1) step *= 2;
  if (step > 1) step = Math.max(step, 8);
  let text = "";
  for (const [i, page] of pages.entries()) {
    if (page % step !== 0) continue;
    text = text.padEnd(i * cellWidth) + page;
  }
  return text;
}

function legend({ grid, width, colour }: SplitVerdictTextInput, withLetters: boolean): string[] {
  const entries = grid.outcomes.map((outcome) =>
    `${verdictStyle(outcome).symbol} ${verdictStyle(outcome).label}`
  );
  const lines = wrapParts(entries, "   ", width).map((line) => colour ? paintSymbols(line, grid) : line);
  return withLetters ? [...lines, ...wrapParts(grid.letterKey.split(", "), ", ", width)] : lines;
}

function paintSymbols(line: string, grid: SplitGrid): string {
  for (const outcome of grid.outcomes) {
    const { symbol, label, terminal } = verdictStyle(outcome);
    line = line.replace(`${symbol} ${label}`, () => `${paint(symbol, terminal, true)} ${label}`);
  }
  return line;
}
