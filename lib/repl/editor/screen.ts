/**
 * From pictures to what is written to the terminal: erase the last picture, write the new one, place the cursor.
 * Keeps what it needs to find the last picture again, also after the terminal changed its width.
 *
 * @module
 */

import { columnsOf, type Picture } from "./layout.ts";

const CLEAR_BELOW = "\x1b[J";

/** One picture at the bottom of a terminal. */
export class Screen {
  #last: Picture | null = null;

  /** What replaces the last picture by this one. */
  paint(picture: Picture, columns: number): string {
    const text = this.erase(columns) + picture.rows.join("\r\n");
    this.#last = picture;
    return text + moveTo(picture);
  }

  /** What takes the last picture away; the cursor is then where it began. */
  erase(columns: number): string {
    const last = this.#last;
    this.#last = null;
    if (last === null) return `\r${CLEAR_BELOW}`;
    const up = rowsAbove(last, columns);
    return `\r${up > 0 ? `\x1b[${up}A` : ""}${CLEAR_BELOW}`;
  }

  /** Forgets the last picture: it stays on the screen as it is. */
  forget(): void {
    this.#last = null;
  }
}

/** Terminal rows between the first row and the cursor; rows wider than the terminal have wrapped meanwhile. */
function rowsAbove({ rows, cursorRow, cursorColumn }: Picture, columns: number): number {
  let above = Math.floor(cursorColumn / Math.max(1, columns));
  for (const row of rows.slice(0, cursorRow)) {
    above += Math.max(1, Math.ceil(columnsOf(row) / Math.max(1, columns)));
  }
  return above;
}

/** From the end of the last row to the cursor. */
function moveTo({ rows, cursorRow, cursorColumn }: Picture): string {
  const up = rows.length - 1 - cursorRow;
  return `${up > 0 ? `\x1b[${up}A` : ""}\r${cursorColumn > 0 ? `\x1b[${cursorColumn}C` : ""}`;
}
