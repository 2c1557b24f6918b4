/**
 * JSON with the line of every member. `JSON.parse` neither says where a wrong text is wrong (its message differs by
 * engine, and often holds no position) nor notices that a key stands there twice, of which the first is lost in
 * silence. Both matter in a file that a person writes. For small files: it keeps a line per member.
 *
 * @module
 */

import { show } from "../core/show.ts";

/** A JSON value and where its parts stand. */
export interface JsonWithLines {
  readonly value: unknown;
  /** Line, from 1, of the member at a path of keys joined by dots; `""` is the whole. */
  readonly lines: ReadonlyMap<string, number>;
}

/** No price list is nested deeper; a bound keeps a hostile text from exhausting the stack. */
const DEEPEST = 32;

/** A token behind white space: punctuation, string, number, word, or the end. */
const TOKEN =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-]))|(true|false|null)(?!\w)|$)/uy;

/**
 * Reads one JSON value.
 *
 * @throws {SyntaxError} naming the line, if the text is not JSON or an object has a key twice
 */
export function jsonLinesOf(json: string, name: string): JsonWithLines {
  const lines = new Map<string, number>();
  const pattern = new RegExp(TOKEN);
  let line = 1;
  let token = ""; // the current one; "" at the end of the text

  function advance(): void {
    const from = pattern.lastIndex;
    const match = pattern.exec(json);
    const space = /^[ \t\r\n]*/.exec(match?.[0] ?? json.slice(from))![0];
    line += space.split("\n").length - 1;
    if (match === null) {
      throw wrong(`${show(json.slice(from + space.length).split(/[\r\n]/, 1)[0])} is not JSON`);
    }
    token = match[1] ?? match[2] ?? match[3] ?? match[4] ?? "";
  }

  function wrong(reason: string): SyntaxError {
    return new SyntaxError(`Cannot read line ${line} of price list ${show(name)}: ${reason}`);
  }

  function misplaced(wanted: string): SyntaxError {
    const found = token === "" ? "the text ends" : `${token.startsWith('"') ? token : show(token)} stands`;
    return wrong(`${found} where ${wanted} must be`);
  }

  /** The value whose first token is current; afterwards the token behind it is. */
  function value(path: string, depth: number): unknown {
    if (!lines.has(path)) lines.set(path, line);
    if (depth > DEEPEST) throw wrong(`it is nested deeper than ${DEEPEST} levels`);
    if (token === "{") return object(path, depth);
    if (token === "[") return array(path, depth);
    if (token === "" || "}],:".includes(token)) throw misplaced("a value");
    const scalar: unknown = JSON.parse(token);
    advance();
    return scalar;
  }

  function object(path: string, depth: number): Record<string, unknown> {
    const members = new Map<string, unknown>();
    list("}", () => {
      if (!token.startsWith('"')) throw misplaced("a key in double quotes");
      const key = JSON.parse(token) as string;
      if (members.has(key)) throw wrong(`the key ${show(key)} stands there twice`);
      const own = path === "" ? key : `${path}.${key}`;
      lines.set(own, line);
      advance();
      if (token !== ":") throw misplaced("a colon");
      advance();
      members.set(key, value(own, depth + 1));
    });
    return Object.fromEntries(members);
  }

  function array(path: string, depth: number): unknown[] {
    const elements: unknown[] = [];
    list("]", () => elements.push(value(`${path}.${elements.length}`, depth + 1)));
    return elements;
  }

  /** What stands between two brackets, with commas between. */
  function list(close: string, element: () => void): void {
    advance();
    let isDone = token === close;
    while (!isDone) {
      element();
      isDone = token === close;
      if (!isDone) {
        if (token !== ",") throw misplaced(`a comma or ${show(close)}`);
        advance();
      }
    }
    advance();
  }

  advance();
  const whole = value("", 0);
  if (token !== "") throw misplaced("the end");
  return { value: whole, lines };
}
