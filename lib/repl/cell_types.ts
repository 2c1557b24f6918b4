/**
 * The types of a notebook's cells: each cell is checked behind all that ran before it, as one module that grows. A name
 * may be declared again, as in the session: what was declared before is then renamed in the older text.
 *
 * What is checked here decides nothing. Complaints are about the new cell alone; where an older declaration cannot be
 * kept apart from a new one, the checker falls silent rather than wrong.
 *
 * @module
 */

import type { TypeComplaint } from "./language_server.ts";

/** What checks a text; {@linkcode LanguageServer} does. */
export interface TypeChecker {
  check(text: string): Promise<readonly TypeComplaint[]>;
  /** The last checked text with the name at a place renamed everywhere, or undefined if it cannot be. */
  renamed(text: string, line: number, column: number, name: string): Promise<string | undefined>;
}

/** Codes that say: this name is declared already. */
const AGAIN: ReadonlySet<number> = new Set([2300, 2393, 2440, 2451, 2567, 2813, 2814]);

/** Codes of TypeScript's parser: the cell will fail by itself, and leaves nothing. */
const isSyntax = (code: number) => code >= 1000 && code < 2000;

/** Checks cell after cell. */
export class CellTypes {
  readonly #checker: TypeChecker;
  readonly #head: string;
  #before = "";
  #renames = 0;
  #isLost = false;

  /** @param head declarations before the first cell */
  constructor(checker: TypeChecker, head: string) {
    this.#checker = checker;
    this.#head = head;
  }

  /** Checks the text before any cell, so that the first cell need not wait. */
  async warm(): Promise<void> {
    await this.#checker.check(this.#whole(""));
  }

  /** Complaints about a cell, with lines and columns of the cell. One cell at a time. */
  async check(cell: string): Promise<readonly TypeComplaint[]> {
    if (this.#isLost) return [];
    let complaints = await this.#checker.check(this.#whole(cell));
    const own = complaints.filter(({ line }) => line >= this.#firstLine);
    if (own.some(({ code }) => isSyntax(code))) return [];
    const again = own.filter(({ code }) => AGAIN.has(code));
    if (again.length > 0) {
      const lines = this.#whole(cell).split("\n");
      const names = new Set(again.map(({ line, column }) => nameAt(lines[line]!, column)));
      // Twice within the cell: it will fail by itself.
      const first = this.#firstLine;
      if (!complaints.some(({ line, code }) => line < first && AGAIN.has(code)) && again.length > 1) {
        return [];
      }
      this.#isLost = !await this.#setApart(names);
      if (this.#isLost) return [];
      complaints = await this.#checker.check(this.#whole(cell));
    }
    const first = this.#firstLine;
    this.#before += `${cell}\n;\n`;
    return complaints
      .filter(({ line, code }) => line >= first && !AGAIN.has(code))
      .map((complaint) => ({ ...complaint, line: complaint.line - first }));
  }

  /** Renames what the older text declares under these names. */
  async #setApart(names: ReadonlySet<string>): Promise<boolean> {
    for (const name of names) {
      const without = withoutImport(this.#before, name);
      if (without !== this.#before) {
        this.#before = without;
        continue;
      }
      const at = declarationOf(this.#before, name);
      if (at === undefined) return false;
      const head = this.#head.split("\n").length - 1;
      const text = this.#whole("");
      const fresh = `${name}_was_${++this.#renames}`;
      const renamed = await this.#checker.renamed(text, head + at.line, at.column, fresh);
      if (renamed === undefined) return false;
      this.#before = renamed.slice(this.#head.length, renamed.length - END.length);
    }
    return true;
  }

  #whole(cell: string): string {
    return `${this.#head}${this.#before}${cell}${END}`;
  }

  /** Line of the module, from 0, on which the next cell begins. */
  get #firstLine(): number {
    return `${this.#head}${this.#before}`.split("\n").length - 1;
  }
}

const END = "\n;export {};\n";

/** Declarations of names that a module's exports are in the session, as {@linkcode CellTypes} wants them. */
export function globalNames(module: string, names: readonly string[]): string {
  const each = names.map((name) => `var ${name}: typeof import(${JSON.stringify(module)}).${name};`);
  return `declare global { ${each.join(" ")} }\n`;
}

function nameAt(line: string, column: number): string {
  return /^[\p{ID_Continue}$]+/u.exec(line.slice(column))?.[0] ?? "";
}

/** The text without the imports of this name: the new import of it serves the older text, too. */
function withoutImport(text: string, name: string): string {
  const specifier = new RegExp(String.raw`(^|,)\s*(?:type\s+)?(?:[\w$]+\s+as\s+)?${escaped(name)}\s*(?=,|$)`);
  return text.replaceAll(
    /(\bimport\s+(?:type\s+)?\{)([^}]*)(\}\s*from\b)/g,
    (_, open, names: string, close) => `${open}${names.replace(specifier, "").replace(/^\s*,/, " ")}${close}`,
  );
}

/** Where the text declares a name at the beginning of a statement, the last place. Lines and columns from 0. */
function declarationOf(text: string, name: string): { line: number; column: number } | undefined {
  const plain = String.raw`(?:const|let|var|function\*?|class|enum|type|interface)\s+`;
  const list = String.raw`(?:const|let|var)\b[^=;]*?[[{,]\s*(?:[\w$]+\s*:\s*)?`;
  const pattern = new RegExp(
    String.raw`(?:^|;)[ \t]*(?:export\s+|async\s+|abstract\s+)*(?:${plain}|${list})${escaped(name)}(?![\w$])`,
    "gm",
  );
  const found = [...text.matchAll(pattern)].at(-1);
  if (found === undefined) return undefined;
  const before = text.slice(0, found.index + found[0].length - name.length).split("\n");
  return { line: before.length - 1, column: before.at(-1)!.length };
}

function escaped(name: string): string {
  return name.replaceAll("$", "\\$");
}
