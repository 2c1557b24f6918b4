/**
 * What an editor looks like on a terminal of some size: rows of text and the place of the cursor. Long lines wrap;
 * an entry taller than the terminal shows the rows around the cursor.
 *
 * @module
 */

import type { Editor } from "./editor.ts";
import { segments } from "./text_buffer.ts";

/** Columns and rows. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Rows to show, none wider than the terminal. */
export interface Picture {
  readonly rows: readonly string[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

const PROMPT = "> ";
const CONTINUATION = "… ";
/** Rows that a list of names may take. */
const LIST_ROWS = 10;

/** The picture of an editor. */
export function layout(editor: Editor, size: TerminalSize): Picture {
  const columns = Math.max(4, size.columns);
  const entry = entryRows(editor.buffer.text, editor.buffer.cursor, columns);
  const below = belowRows(editor, columns);
  const most = Math.max(2, size.rows - 1 - below.length);
  const { rows, cursorRow } = around(entry, most);
  if (editor.search === null) {
    return { rows: [...rows, ...below], cursorRow, cursorColumn: entry.cursorColumn };
  }
  // In a search one types the query, so the cursor is there.
  return {
    rows: [...rows, ...below],
    cursorRow: rows.length,
    cursorColumn: queryColumn(editor.search.query, columns),
  };
}

/** The rows of an entry alone, in full: what stays on the screen when it was submitted. */
export function entryPicture(text: string, columns: number): Picture {
  return entryRows(text, text.length, Math.max(4, columns));
}

function entryRows(text: string, cursor: number, columns: number): Picture {
  const rows: string[] = [];
  let cursorRow = 0;
  let cursorColumn = 0;
  let at = 0;
  text.split("\n").forEach((line, i) => {
    let row = i === 0 ? PROMPT : CONTINUATION;
    let width = 2;
    const mark = () => {
      if (at === cursor) [cursorRow, cursorColumn] = [rows.length, width];
    };
    for (const part of segments(line)) {
      const shown = visible(part);
      const wide = columnsOf(shown);
      if (width + wide > columns) {
        rows.push(row);
        [row, width] = ["", 0];
      }
      mark();
      row += shown;
      width += wide;
      at += part.length;
    }
    if (width === columns) {
      rows.push(row);
      [row, width] = ["", 0];
    }
    mark();
    rows.push(row);
    at++;
  });
  return { rows, cursorRow, cursorColumn };
}

/** At most `most` rows with the cursor among them; what is hidden is counted. */
function around({ rows, cursorRow }: Picture, most: number): { rows: string[]; cursorRow: number } {
  if (rows.length <= most) return { rows: [...rows], cursorRow };
  const first = Math.min(Math.max(0, cursorRow - Math.floor(most / 2)), rows.length - most);
  const shown = rows.slice(first, first + most);
  const above = first + 1;
  const belowCount = rows.length - first - most + 1;
  if (first > 0 && cursorRow !== first) shown[0] = `… ${above} rows above`;
  if (belowCount > 1 && cursorRow !== first + most - 1) shown[most - 1] = `… ${belowCount} rows below`;
  return { rows: shown, cursorRow: cursorRow - first };
}

function belowRows({ search, offered }: Editor, columns: number): string[] {
  if (search !== null) {
    const note = search.query !== "" && search.found < 0 ? "  (nothing found)" : "";
    return [cut(`search: ${search.query}${note}`, columns)];
  }
  return listRows(offered, columns);
}

function queryColumn(query: string, columns: number): number {
  return Math.min(columns - 1, "search: ".length + columnsOf(query));
}

/** Names in columns, read downward. */
export function listRows(names: readonly string[], columns: number): string[] {
  if (names.length === 0) return [];
  const width = Math.min(columns, Math.max(...names.map(columnsOf)) + 2);
  const perRow = Math.max(1, Math.floor(columns / width));
  const nrRows = Math.min(LIST_ROWS, Math.ceil(names.length / perRow));
  const shown = names.slice(0, nrRows * perRow);
  const rows = Array.from({ length: nrRows }, (_, row) =>
    cut(
      shown.filter((_, i) => i % nrRows === row).map((name) =>
        name + " ".repeat(Math.max(0, width - columnsOf(name)))
      )
        .join("").trimEnd(),
      columns,
    ));
  return names.length === shown.length ? rows : [...rows, `… ${names.length - shown.length} more`];
}

function cut(text: string, columns: number): string {
  return columnsOf(text) <= columns ? text : `${segments(text).slice(0, columns - 1).join("")}…`;
}

/** A character as it can be shown: a tab as blanks, what would steer the terminal as a picture of it. */
function visible(part: string): string {
  if (part === "\t") return "  ";
  const code = part.codePointAt(0)!;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code >= 0x7f && code < 0xa0 ? "\ufffd" : part;
}

/** Columns that text takes: wide characters of East Asia and pictures two, marks that combine none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const part of segments(text)) columns += widthOf(part);
  return columns;
}

function widthOf(part: string): number {
  if (/^\p{M}+$/u.test(part)) return 0;
  const code = part.codePointAt(0)!;
  if (code < 0x1100) return 1;
  return /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}])/u
      .test(part)
    ? 2
    : 1;
}
