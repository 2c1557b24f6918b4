/**
 * From names of Linux and Xen to ours, out of the `@cite` lines of the library's own source: what a kernel function is
 * modelled by, and where.
 *
 * @module
 */

/** One name of theirs, and what of ours cites it. */
export interface CrossReference {
  /** `vm_normal_page`; a name, never a phrase. */
  readonly name: string;
  /** `linux`, `xen` or `classic` (Linux 2.6.18 with Xen's patches). */
  readonly source: string;
  readonly release: string;
  /** Their file. */
  readonly file: string;
  /** Our name: a declaration, or the file if its module comment cites. */
  readonly ours: string;
  /** Our file, from the project's root. */
  readonly path: string;
  /** Line of the citation, from 1. */
  readonly line: number;
}

// The bracket keeps this line from being a citation itself.
const CITE = /@[c]ite (linux|xen|classic) (\S+) (\S+) +([A-Za-z_]\w*)\s*(?:\*\/.*)?$/;
const DECLARED =
  /^\s*(?:export )?(?:default )?(?:abstract )?(?:async )?(?:static )?(?:override )?(?:readonly )?(?:function\*?|class|interface|type|const|let|enum)?\s*(?:get |set )?(\[?[A-Za-z_$#][\w$.]*\]?)/;

/** What begins no declaration: a comment before it is about a step within a function. */
const STATEMENT = /^\s*(?:if|return|for|while|do|switch|case|throw|try|await|break|continue)\b/;

/** The head of a function or a method. */
const HEAD =
  /^\s*(?!(?:if|for|while|switch|catch|return)\b)(?:export )?(?:static )?(?:override )?(?:async )?(?:function\*? |get |set |\*)?(#?[A-Za-z_$][\w$]*)(?:<[^(]*>)?\((?:.*\{|[^)]*)$/;

/**
 * The references in one file of ours.
 *
 * @param path from the project's root
 *
 * @example
 * ```ts
 * import { referencesIn } from "grantlab/cli";
 * const source = "/** @cite linux 6.1 mm/memory.c vm_normal_page *\/\nexport function vmNormalPage() {}\n";
 * const [found] = referencesIn("lib/a.ts", source);
 * if (found?.name !== "vm_normal_page" || found.ours !== "vmNormalPage") throw new Error(found?.ours);
 * ```
 */
export function referencesIn(path: string, text: string): CrossReference[] {
  const found: CrossReference[] = [];
  const lines = text.split("\n");
  for (const [i, line] of lines.entries()) {
    const [, source, release, file, name] = CITE.exec(line) ?? [];
    if (name === undefined) continue;
    const ours = oursAfter(lines, i) ?? path.split("/").at(-1)!.replace(/\.ts$/, "");
    found.push({ name, source: source!, release: release!, file: file!, ours, path, line: i + 1 });
  }
  return found;
}

/** What the comment of a line belongs to; undefined for a module comment. */
function oursAfter(lines: readonly string[], from: number): string | undefined {
  const comment = commentAround(lines, from);
  if (comment.isModule) return undefined;
  for (let i = comment.end + 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (/^\s*(?:\/\/|$)/.test(line)) continue;
    return STATEMENT.test(line) ? functionAround(lines, i) : DECLARED.exec(line)?.[1];
  }
  return undefined;
}

/** The function or method that a statement is in. */
function functionAround(lines: readonly string[], at: number): string | undefined {
  const indent = (line: string) => /^ */.exec(line)![0].length;
  let depth = indent(lines[at]!);
  for (let i = at - 1; i >= 0 && depth > 0; i--) {
    const line = lines[i]!;
    // The end of parameters over several lines, `): SysResult<0> {`, is no head yet.
    if (line.trim() === "" || indent(line) >= depth || /^\s*[)}\]]/.test(line)) continue;
    const [, name] = HEAD.exec(line) ?? [];
    if (name !== undefined) return name;
    depth = indent(line);
  }
  return undefined;
}

/** The comment that a line is in: its last line, and whether it is the module's. */
function commentAround(lines: readonly string[], at: number): { end: number; isModule: boolean } {
  const isLineComment = /^\s*\/\//.test(lines[at]!);
  if (isLineComment) return { end: at, isModule: false };
  let end = at;
  while (end < lines.length - 1 && !lines[end]!.includes("*/")) end++;
  let start = at;
  while (start > 0 && !lines[start]!.includes("/*")) start--;
  return { end, isModule: lines.slice(start, end + 1).some((line) => /\* @module\b/.test(line)) };
}

/** References of all files, sorted by name; the same citation by several of ours stands once for each. */
export function crossReference(files: Iterable<readonly [path: string, text: string]>): CrossReference[] {
  const all = [...files].flatMap(([path, text]) => referencesIn(path, text));
  const key = ({ name, source, release, ours, path }: CrossReference) =>
    [name.toLowerCase(), name, source, release, path, ours].join("\0");
  const unique = new Map(all.map((each) => [key(each), each] as const));
  return [...unique].sort(([a], [b]) => a < b ? -1 : 1).map(([, each]) => each);
}

/** Paths and texts of the library's own files, from the project's folder. */
export function* librarySources(project: URL): Generator<readonly [path: string, text: string]> {
  const folders = ["lib/"];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, project))) {
      if (isDirectory) folders.push(`${folder}${name}/`);
      else if (name.endsWith(".ts")) {
        yield [`${folder}${name}`, Deno.readTextFileSync(new URL(`${folder}${name}`, project))];
      }
    }
  }
}
