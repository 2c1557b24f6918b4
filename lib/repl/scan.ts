/**
 * One pass over TypeScript that tells code from text: strings, comments, template text and regular expressions are
 * blanked, so that a search in the rest finds only code. Not a parser; the parsers are Deno's and V8's.
 *
 * Left out: JSX. A division after `)` is taken for a division, which is wrong only for `if (x) /re/.test(y)`.
 *
 * @module
 */

/** What the pass found. */
export interface Scan {
  /** The source, same length, same line breaks, with a blank for every character that is not code. */
  readonly code: string;
  /** Bracket depth before each character; template holes count as brackets. */
  readonly depth: Uint16Array;
  /** Bracket depth at the end; below zero if there are more closing ones. */
  readonly open: number;
  /** What the source ends within. */
  readonly within: "code" | "template" | "comment" | "string";
  /** True if there is nothing but blanks and comments. */
  readonly isBlank: boolean;
}

/** Words after which a slash starts a regular expression. */
const BEFORE_REGEXP = /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/;

/** Scans a source from its start. */
export function scan(source: string): Scan {
  const code = source.split("");
  const depth = new Uint16Array(source.length);
  /** What each open bracket is: a hole `${` goes back to template text when it closes. */
  const brackets: string[] = [];
  let surplus = 0;
  let isBlank = true;
  let within: Scan["within"] = "code";

  const blank = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      depth[i] = brackets.length;
      if (code[i] !== "\n") code[i] = " ";
    }
  };

  let i = 0;
  while (i < source.length) {
    const c = source[i]!;
    depth[i] = brackets.length;
    if (c === "/" && source[i + 1] === "/") {
      const end = endOr(source.indexOf("\n", i), source);
      blank(i, end);
      i = end;
      continue;
    }
    if (c === "/" && source[i + 1] === "*") {
      const end = source.indexOf("*/", i + 2);
      if (end < 0) within = "comment";
      blank(i, end < 0 ? source.length : end + 2);
      i = end < 0 ? source.length : end + 2;
      continue;
    }
    if (!/\s/.test(c)) isBlank = false;
    if (c === '"' || c === "'") {
      const end = endOfQuoted(source, i, c);
      if (end < 0) within = "string";
      const stop = end < 0 ? endOr(source.indexOf("\n", i), source) : end;
      blank(i + 1, stop);
      i = stop + 1;
      continue;
    }
    if (c === "/" && startsRegExp(code, i)) {
      const end = endOfRegExp(source, i);
      blank(i + 1, end);
      i = end + 1;
      continue;
    }
    if (c === "`" || c === "}" && brackets.at(-1) === "${") {
      if (c === "}") brackets.pop();
      const end = endOfTemplateText(source, i + 1);
      if (end < 0) {
        within = "template";
        blank(i + 1, source.length);
        break;
      }
      const isHole = source[end] === "$";
      blank(i + 1, end);
      if (isHole) brackets.push("${");
      i = end + (isHole ? 2 : 1);
      continue;
    }
    if (c === "(" || c === "[" || c === "{") brackets.push(c);
    if (c === ")" || c === "]" || c === "}") {
      if (brackets.length === 0) surplus++;
      else brackets.pop();
    }
    i++;
  }
  return { code: code.join(""), depth, open: brackets.length - surplus, within, isBlank };
}

function endOr(found: number, source: string): number {
  return found < 0 ? source.length : found;
}

/** Index of the closing quote, or -1 if the line ends before. */
function endOfQuoted(source: string, start: number, quote: string): number {
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === quote) return i;
    else if (source[i] === "\n") return -1;
  }
  return -1;
}

/** Index of the closing backtick or of the `$` of a hole, or -1. */
function endOfTemplateText(source: string, start: number): number {
  for (let i = start; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "`" || source[i] === "$" && source[i + 1] === "{") return i;
  }
  return -1;
}

/** Index of the closing slash, or of the line's last character if there is none. */
function endOfRegExp(source: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < source.length; i++) {
    const c = source[i];
    if (c === "\\") i++;
    else if (c === "\n") return i - 1;
    else if (c === "[") inClass = true;
    else if (c === "]") inClass = false;
    else if (c === "/" && !inClass) return i;
  }
  return source.length - 1;
}

/** A slash is a division after a value, and starts a regular expression everywhere else. */
function startsRegExp(code: readonly string[], at: number): boolean {
  let i = at - 1;
  while (i >= 0 && /\s/.test(code[i]!)) i--;
  if (i < 0) return true;
  if (/[)\]}"'`]/.test(code[i]!)) return false;
  if (!/[\w$]/.test(code[i]!)) return true;
  return BEFORE_REGEXP.test(code.slice(Math.max(0, i - 12), i + 1).join(""));
}
