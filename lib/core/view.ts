/**
 * What an object shows of itself, as data: a title, tables and drawings. Text, one line and HTML are made from the
 * same rows, so that they never drift. Cells are strings: whoever makes the view knows which numbers are addresses
 * or frames and writes them in hex.
 *
 * @module
 */

import { textColumns } from "./text_columns.ts";
import { truncate } from "./text_fit.ts";

/** Head of a column; `right` for numbers. */
export type ViewColumn = string | { readonly header: string; readonly right: true };

/** Rows under heads. */
export interface TableBlock {
  readonly kind: "table";
  readonly caption?: string;
  readonly columns: readonly ViewColumn[];
  readonly rows: readonly (readonly string[])[];
  /** Rows that there are beside those in `rows`. */
  readonly more: number;
}

/** Lines of a drawing, in columns of equal width. */
export interface DrawingBlock {
  readonly kind: "drawing";
  readonly lines: readonly string[];
}

/** A part of a view. */
export type ViewBlock = TableBlock | DrawingBlock;

/** What is shown. */
export interface View {
  /** All of it that fits a line. */
  readonly line: string;
  /** Over the blocks; default: the line. */
  readonly title?: string;
  readonly blocks?: readonly ViewBlock[];
}

/** Rows of a table that people are shown without asking for more. */
export const SHOWN_ROWS = 40;

/**
 * A table of at most `limit` rows; the rest is counted, and not made if `rows` is lazy and `total` known.
 *
 * @example
 * ```ts
 * import { tableBlock } from "grantlab/core";
 * const block = tableBlock(["n"], [["1"], ["2"], ["3"]], { limit: 2 });
 * if (block.rows.length !== 2 || block.more !== 1) throw new Error();
 * ```
 */
export function tableBlock(
  columns: readonly ViewColumn[],
  rows: Iterable<readonly string[]>,
  { limit = SHOWN_ROWS, total, caption }: {
    readonly limit?: number;
    readonly total?: number;
    readonly caption?: string;
  } = {},
): TableBlock {
  const shown: (readonly string[])[] = [];
  let seen = 0;
  for (const row of rows) {
    if (++seen <= limit) shown.push(row);
    else if (total !== undefined) break;
  }
  const more = Math.max(0, (total ?? seen) - shown.length);
  return { kind: "table", columns, rows: shown, more, ...caption === undefined ? {} : { caption } };
}

/** A drawing of these lines. */
export function drawing(lines: readonly string[]): DrawingBlock {
  return { kind: "drawing", lines };
}

/** Columns of a row that do not say more than this many times are counted, not listed: `3 frames 0x1 0x2 0x3`. */
export function listed(items: readonly string[], most = 4): string {
  return items.length <= most ? items.join(" ") : `${items.slice(0, most - 1).join(" ")} … ${items.at(-1)!}`;
}

/**
 * A view as text of at most `width` columns.
 *
 * @example
 * ```ts
 * import { drawing, viewText } from "grantlab/core";
 * const text = viewText({ line: "a VMA", blocks: [drawing(["AAAA"])] }, 40);
 * if (text !== "a VMA\nAAAA") throw new Error(text);
 * ```
 */
export function viewText({ line, title = line, blocks = [] }: View, width = 80): string {
  const lines = title === "" ? [] : wrapped(title, width);
  for (const block of blocks) {
    if (block.kind === "drawing") {
      lines.push(...block.lines.map((drawn) => truncate(printable(drawn), width)));
      continue;
    }
    if (block.rows.length === 0) continue;
    if (block.caption !== undefined) lines.push(truncate(block.caption, width));
    const columns = block.columns.map((column, i) => columnOf(column, block, i));
    // Without heads a table is a list of names and values.
    const hasHeads = columns.some(({ header }) => header !== "");
    lines.push(...textColumns(columns, width).slice(hasHeads ? 0 : 2));
    if (block.more > 0) lines.push(`… ${block.more} more`);
  }
  return lines.join("\n");
}

function columnOf(column: ViewColumn, { rows }: TableBlock, i: number) {
  const cells = rows.map((row) => printable(row[i]!));
  return typeof column === "string"
    ? { header: column, cells }
    : { header: column.header, right: true, cells };
}

/** Control characters, which would break lines or steer the terminal, as a dot. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "·");
}

/** Lines cut at blanks where they are too long; what follows is indented. */
function wrapped(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width && width > 8) {
      const cut = rest.lastIndexOf(" ", width);
      const at = cut > 4 ? cut : width;
      lines.push(rest.slice(0, at).trimEnd());
      rest = `    ${rest.slice(at).trimStart()}`;
    }
    return [...lines, rest];
  });
}

const HTML_OF: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it stands in HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (c) => HTML_OF[c]!);
}

/**
 * A view as HTML: a `div` of paragraphs, tables and preformatted drawings, without scripts or styles of its own but
 * alignment.
 *
 * @example
 * ```ts
 * import { viewHtml } from "grantlab/core";
 * if (viewHtml({ line: "a < b" }) !== '<div class="grantlab"><p>a &lt; b</p></div>') throw new Error();
 * ```
 */
export function viewHtml({ line, title = line, blocks = [] }: View): string {
  const head = title === "" ? "" : `<p>${escapeHtml(title).replaceAll("\n", "<br>")}</p>`;
  return `<div class="grantlab">${head}${blocks.map(blockHtml).join("")}</div>`;
}

function blockHtml(block: ViewBlock): string {
  if (block.kind === "drawing") return `<pre>${escapeHtml(block.lines.join("\n"))}</pre>`;
  if (block.rows.length === 0) return "";
  const align = (i: number) => typeof block.columns[i] === "string" ? "left" : "right";
  const cells = (tag: string, texts: readonly string[]) =>
    `<tr>${
      texts.map((text, i) => `<${tag} style="text-align:${align(i)}">${escapeHtml(text)}</${tag}>`).join("")
    }</tr>`;
  const heads = block.columns.map((column) => typeof column === "string" ? column : column.header);
  const caption = block.caption === undefined ? "" : `<caption>${escapeHtml(block.caption)}</caption>`;
  const more = block.more === 0 ? "" : `<p>… ${block.more} more</p>`;
  const head = heads.every((text) => text === "") ? "" : `<thead>${cells("th", heads)}</thead>`;
  return `<table>${caption}${head}<tbody>${
    block.rows.map((row) => cells("td", row)).join("")
  }</tbody></table>${more}`;
}
