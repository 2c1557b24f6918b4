/**
 * A session as a script: imports, the lines that set it up, the lines that ran. Values that the prompt showed go to
 * `console.log`; lines that failed stand in comments. What the prompt allows and a script does not, declaring a name
 * again, becomes an assignment.
 *
 * @module
 */

import { stripTypeScriptTypes } from "node:module";
import type { JournalEntry } from "./journal.ts";
import { scan } from "./scan.ts";

/** What a script is made with. */
export interface ScriptOptions {
  /** What the names of the session are imported from. */
  readonly specifier: string;
  /** Names that can be imported from there. */
  readonly names: readonly string[];
  /** Lines before the first one of the user; those that nothing uses are left out. */
  readonly setup: readonly string[];
}

const DECLARATION = /^\s*(?:const|let|var)\s+(?![\p{ID_Continue}$]*\s*$)/u;
const DECLARED =
  /(?:^|[;\n}])\s*(?:export\s+)?(?:(const|let|var)\s+([^=;\n]+)|(?:async\s+)?(?:function\s*\*?|class)\s+([\p{ID_Continue}$]+))/gu;

/**
 * The script.
 *
 * @throws {Error} if a name is declared again in a line with other statements
 *
 * @example
 * ```ts
 * import { scriptOfSession } from "grantlab/repl";
 * const entries = [{ source: "const w = world()", outcome: "value", isShown: false }, { source: "w", outcome: "value", isShown: true }] as const;
 * const script = scriptOfSession(entries, { specifier: "grantlab", names: ["world", "hex"], setup: [] });
 * if (script !== 'import { world } from "grantlab";\n\nconst w = world();\nconsole.log(w);\n') throw new Error(script);
 * ```
 */
export function scriptOfSession(entries: readonly JournalEntry[], options: ScriptOptions): string {
  const { specifier, names, setup } = options;
  const lines = entries.map(({ source }) => source);
  const used = usedNames(lines);
  const needed: string[] = [];
  for (const line of setup.toReversed()) {
    if (!declaredIn(line).some((name) => used.has(name))) continue;
    needed.unshift(line);
    for (const name of usedNames([line])) used.add(name);
  }
  const all: JournalEntry[] = [
    ...needed.map((source) => ({ source, outcome: "value", isShown: false }) as const),
    ...entries,
  ];
  const times = new Map<string, number>();
  for (const { source, outcome } of all) {
    if (outcome !== "value") continue;
    for (const name of declaredIn(source)) times.set(name, (times.get(name) ?? 0) + 1);
  }
  const declared = new Set<string>();
  const imports: string[] = [];
  const body: string[] = [];
  for (const entry of all) {
    if (/^\s*import\b(?!\s*[(.])/.test(entry.source) && entry.outcome === "value") {
      imports.push(ended(entry.source));
    } else body.push(statement(entry, declared, times));
  }
  const imported = names.filter((name) => used.has(name) && !times.has(name)).sort();
  const own = imported.length === 0
    ? []
    : [`import { ${imported.join(", ")} } from ${JSON.stringify(specifier)};`];
  const head = [...own, ...imports];
  return `${[...head, ...head.length === 0 ? [] : [""], ...body].join("\n")}\n`;
}

function statement(entry: JournalEntry, declared: Set<string>, times: ReadonlyMap<string, number>): string {
  const { source, outcome, message, isShown } = entry;
  if (outcome !== "value") {
    const why = outcome === "interrupt" ? "was interrupted" : `failed: ${message}`;
    return `${source}\n${why}`.split("\n").map((line) => `// ${line}`).join("\n");
  }
  const names = declaredIn(source);
  const isAgain = names.some((name) => declared.has(name));
  const isReplacedLater = names.some((name) => (times.get(name) ?? 0) > 1);
  for (const name of names) declared.add(name);
  if (isAgain) return ended(assignment(source, names));
  if (isReplacedLater) return ended(source.replace(/^(\s*)const\b/, "$1let"));
  if (isShown && isExpression(source)) return `console.log(${source.trim().replace(/;$/, "")});`;
  return ended(source);
}

/** The declaration of names that exist, as an assignment. */
function assignment(source: string, names: readonly string[]): string {
  // Where a type was, there are blanks.
  const plain = stripTypeScriptTypes(source).trim().replace(/;$/, "").replace(/ {2,}=/, " =");
  const { code, depth } = scan(plain);
  const isAlone = DECLARATION.test(plain) && ![...code].some((c, i) => c === ";" && depth[i] === 0);
  if (!isAlone) {
    throw new Error(`Cannot save: ${names.join(", ")} is declared again in a line with other statements`);
  }
  return `(${plain.replace(/^\s*(?:const|let|var)\s+/, "")})`;
}

/** Names that a source declares at its outermost level. */
export function declaredIn(source: string): string[] {
  const { code, depth } = scan(source);
  const names: string[] = [];
  for (const match of code.matchAll(DECLARED)) {
    const at = match.index + match[0].length - 1;
    if (depth[match.index + match[0].search(/\S/)]! > 0 && depth[at]! > 0) continue;
    if (match[3] !== undefined) names.push(match[3]);
    else names.push(...namesOfPattern(match[2]!));
  }
  return names;
}

/** Names of `a`, `{ a, b: c }`, `[a, ...b]`, without types and defaults. */
function namesOfPattern(pattern: string): string[] {
  const inner = pattern.trim();
  if (/^[{[]/.test(inner)) {
    return inner.replace(/^[{[]|[}\]]\s*$/g, "").split(",").map((part) => {
      const [, renamed] = part.split(":");
      return (renamed ?? part).trim().replace(/^\.\.\./, "").split(/\s*=/)[0]!.trim();
    }).filter((name) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name));
  }
  return [inner.split(/[\s:,]/)[0]!];
}

/** Identifiers in code that are no member names. */
function usedNames(sources: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const source of sources) {
    // Text of templates may hold code, so quotes are not looked for.
    for (
      const match of source.matchAll(/(?<![\p{ID_Continue}$.]|\.\s)[\p{ID_Start}$_][\p{ID_Continue}$]*/gu)
    ) {
      names.add(match[0]);
    }
  }
  return names;
}

function isExpression(source: string): boolean {
  try {
    stripTypeScriptTypes(`void (${source.trim().replace(/;$/, "")}\n)`);
    return true;
  } catch {
    return false;
  }
}

/** A statement with its end; a declaration with a body has one. */
function ended(source: string): string {
  const text = source.trimEnd();
  const hasBody = /^\s*(?:async\s+)?(?:function|class|if|for|while|interface|enum|try|\{)\b/.test(text) &&
    text.endsWith("}");
  return hasBody || text.endsWith(";") ? text : `${text};`;
}
