/**
 * Cells as aligned columns of text, never wider than asked. What the cells say is the caller's business.
 *
 * @module
 */

import { columnsOf, fitLeft, fitRight } from "./text_fit.ts";

/** A column whose cells are text already, none with a line break. */
export interface TextColumn {
  readonly header: string;
  /** Whether cells stand to the right, as numbers do. */
  readonly right?: boolean;
  readonly cells: readonly string[];
}

interface SizedColumn extends TextColumn {
  width: number;
}

const BETWEEN = "  ";
const NARROWEST = 3;

/**
 * The lines of a table: header, rule, rows. The widest columns are cut first, with a "…" in each cut cell, those of
 * addresses and frames last, as half of an address says nothing; columns
 * that do not fit even at three characters are left out from the right, and a last column "…" says so.
 *
 * @param columns at least one, all with equally many cells
 * @param limit greatest number of terminal columns
 *
 * @example
 * ```ts
 * import { textColumns } from "grantlab/core";
 * const lines = textColumns([{ header: "frame", cells: ["0x10", "0x11"] }, { header: "n", right: true, cells: ["1", "22"] }], 40);
 * if (lines.join("|") !== "frame   n|─────  ──|0x10    1|0x11   22") throw new Error(lines.join("|"));
 * ```
 */
export function textColumns(columns: readonly TextColumn[], limit: number): string[] {
  const sized = columns.map((column) => ({
    ...column,
    width: Math.max(1, columnsOf(column.header), ...column.cells.map(columnsOf)),
  }));
  const shown = shrink(sized, limit);
  const line = (cell: (column: SizedColumn) => string) =>
    shown.map((column) => (column.right ? fitRight : fitLeft)(cell(column), column.width)).join(BETWEEN)
      .trimEnd();
  return [
    line((column) => column.header),
    shown.map((column) => "─".repeat(column.width)).join(BETWEEN),
    ...columns[0]!.cells.map((_, i) => line((column) => column.cells[i]!)),
  ];
}

function isHex(cell: string): boolean {
  return /^0x[0-9a-f]+$/.test(cell);
}

/** Cuts the widest columns, then drops columns from the right, until the line fits. */
function shrink(columns: readonly SizedColumn[], limit: number): SizedColumn[] {
  const shown = [...columns];
  const rest: SizedColumn = { header: "…", cells: columns[0]!.cells.map(() => "…"), width: 1 };
  const least = () =>
    shown.reduce(
      (sum, column) => sum + Math.min(column.width, NARROWEST),
      (shown.length - 1) * BETWEEN.length,
    );
  while (least() > limit && shown.length > 1) {
    if (shown.at(-1) === rest) shown.pop();
    shown.pop();
    shown.push(rest);
  }
  const total = () => shown.reduce((sum, column) => sum + column.width, (shown.length - 1) * BETWEEN.length);
  while (total() > limit) {
    const words = shown.filter((column) => column.width > NARROWEST && !column.cells.every(isHex));
    const cut = words.length > 0 ? words : shown;
    const widest = cut.reduce((a, b) => b.width > a.width ? b : a);
    widest.width--;
  }
  return shown;
}
