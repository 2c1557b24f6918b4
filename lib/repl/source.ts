/**
 * From what a person types to what V8 runs: is it finished, and the script for it. A script may hold no static
 * `import` and no types, so imports become `await import(…)` and Deno's own stripper removes the types. Line numbers
 * stay.
 *
 * @module
 */

import { stripTypeScriptTypes } from "node:module";
import { type Scan, scan } from "./scan.ts";

/** Where the host keeps its functions, as an expression of the session. */
export const HOST = 'globalThis[Symbol.for("grantlab.repl.host")]';

/** A last character or word that asks for more. */
const ASKS_FOR_MORE =
  /(?:[-+*/%&|^=<>!~?:,.]|(?:^|[^\w$.])(?:else|in|of|instanceof|typeof|new|await|extends|as|satisfies|const|let|var|import|from|export|throw|void|delete|async|try|finally|do))$/;

/** A statement whose body is missing. */
const HEADER_ONLY = /^\s*(?:if|for|while|for\s+await)\s*\(.*\)$/s;

/**
 * Whether a source can be evaluated now, or goes on in the next line. `blank` is nothing but comments and spaces.
 *
 * @example
 * ```ts
 * import { completeness } from "grantlab/repl";
 * if (completeness("function f() {") !== "unfinished" || completeness("f()") !== "finished") throw new Error();
 * ```
 */
export function completeness(source: string): "finished" | "unfinished" | "blank" {
  const found = scan(source);
  if (found.within === "template" || found.within === "comment") return "unfinished";
  if (found.isBlank) return "blank";
  if (found.within === "string") return "finished";
  if (found.open > 0) return "unfinished";
  const code = found.code.trimEnd();
  const mayGoOn = ASKS_FOR_MORE.test(code) && !/(?:\+\+|--)$/.test(code) || HEADER_ONLY.test(code);
  return mayGoOn && stripped(source) === undefined ? "unfinished" : "finished";
}

/** The script for a source. What does not parse comes back as it is: V8 has the better messages. */
export function scriptOf(source: string): string {
  const rewritten = importsRewritten(source, scan(source));
  return objectLiteral(rewritten) ?? stripped(rewritten) ?? rewritten;
}

/** A source without its types, or nothing if it does not parse. */
function stripped(source: string): string | undefined {
  for (const mode of ["strip", "transform"] as const) {
    try {
      return stripTypeScriptTypes(source, { mode });
    } catch {
      // Enums and namespaces need `transform`, which moves columns; hence it comes second.
    }
  }
  return undefined;
}

/** `{ a: 1 }` alone on a line is an object to everybody but the grammar. */
function objectLiteral(source: string): string | undefined {
  const code = scan(source).code.trim();
  if (!code.startsWith("{") || !code.endsWith("}")) return undefined;
  return stripped(`(${source}\n)`);
}

const NAME = "[\\p{ID_Start}$_][\\p{ID_Continue}$\\u200c\\u200d]*";
const IMPORT_START = /(?<=^|[;}\n])[^\S\n]*import\b(?!\s*[(.])/g;
const IMPORT = new RegExp(
  `\\s*import\\s*(type\\b(?!\\s*from\\b|\\s*,))?\\s*(?:(${NAME})\\s*,?\\s*)?` +
    `(?:\\*\\s*as\\s+(${NAME})\\s*|\\{([^}]*)\\}\\s*)?(?:from\\s*)?("[^"\\n]*"|'[^'\\n]*')` +
    `(?:\\s*with\\s*(\\{[^}]*\\}))?[^\\S\\n]*;?`,
  "uy",
);

/** Static imports at the outermost level, as awaited dynamic ones. */
function importsRewritten(source: string, { code, depth }: Scan): string {
  let out = "";
  let done = 0;
  for (const found of code.matchAll(IMPORT_START)) {
    if (depth[found.index + found[0].length - 1]! > 0 || found.index < done) continue;
    IMPORT.lastIndex = found.index;
    const match = IMPORT.exec(source);
    if (match === null) continue;
    const newLines = match[0].replaceAll(/[^\n]/g, "");
    out += source.slice(done, found.index) + importExpression(match) + newLines;
    done = found.index + match[0].length;
  }
  return out + source.slice(done);
}

function importExpression(match: RegExpExecArray): string {
  const [, isType, defaultName, namespaceName, list, specifier, attributes] = match;
  if (isType !== undefined) return ";";
  const imported = `await import(${specifier}${attributes === undefined ? "" : `, { with: ${attributes} }`})`;
  const names: [imported: string, local: string][] = defaultName === undefined
    ? []
    : [["default", defaultName]];
  for (const part of list?.split(",") ?? []) {
    const [name, local] = part.trim().split(/\s+as\s+/u);
    if (name !== undefined && name !== "" && !/^type\s/u.test(name)) names.push([name, local ?? name]);
  }
  let out = "";
  if (namespaceName !== undefined) out += `const ${namespaceName} = ${imported};`;
  if (names.length > 0) {
    const pattern = names.map(([name, local]) => `${name}: ${local}`).join(", ");
    const wanted = JSON.stringify(names.map(([name]) => name.replaceAll(/^["']|["']$/g, "")));
    out += `const { ${pattern} } = ${HOST}.provided(${imported}, ${wanted}, ${specifier});`;
  }
  return out === "" ? `void ${imported};` : out;
}
