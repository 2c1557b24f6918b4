/**
 * Fitting text into columns. A character counts as one column: true for everything that grantlab prints itself, not
 * for East Asian wide characters or emoji in a caller's own labels.
 *
 * @module
 */

/** Columns that `text` takes. */
export function columnsOf(text: string): number {
  return [...text].length;
}

/** `text` in at most `width` columns, the last one a "…" if something was left out. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return "";
  const characters = [...text];
  return characters.length <= width ? text : characters.slice(0, width - 1).join("") + "…";
}

/** `text` in exactly `width` columns, cut or filled with blanks on the right. */
export function fitLeft(text: string, width: number): string {
  const cut = truncate(text, width);
  return cut + " ".repeat(Math.max(0, width - columnsOf(cut)));
}

/** `text` in exactly `width` columns, cut or filled with blanks on the left. */
export function fitRight(text: string, width: number): string {
  const cut = truncate(text, width);
  return " ".repeat(Math.max(0, width - columnsOf(cut))) + cut;
}

/** Words of `text` in lines of at most `width` columns; a longer word is cut. */
export function wrapWords(text: string, width: number): string[] {
  return wrapParts(text.split(" ").filter((word) => word !== ""), " ", width);
}

/** Unbreakable `parts`, joined by `between` into lines of at most `width` columns; a longer part is cut. */
export function wrapParts(parts: readonly string[], between: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = last === undefined ? part : last + between + part;
    if (last !== undefined && columnsOf(joined) <= width) lines[lines.length - 1] = joined;
    else lines.push(truncate(part, width));
  }
  return lines;
}
