/**
 * Documentation of names, from the docstrings of the library's own source: `deno doc --json` reads them, once, when
 * help is first asked for. It works wherever the library's source is; nothing has to be generated, committed and kept
 * true. (A committed index would be there 0.3 s earlier, once a session, and change with every docstring.)
 *
 * @module
 */

import { nearNames } from "../core/nearest.ts";

/** What help needs to know of a session. */
export interface HelpContext {
  /** URL of the module whose names the session has. */
  readonly module: string;
  /** Class of the object at a dotted path, if there is one. */
  readonly classOf: (path: string) => Promise<string | undefined>;
}

/** One documented name: `world`, `Process`, `Process.munmap`. */
export interface HelpEntry {
  readonly name: string;
  /** `function`, `class`, `method`, `property`, … */
  readonly kind: string;
  readonly doc: string;
  readonly tags: readonly { readonly kind: string; readonly name?: string; readonly doc?: string }[];
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Of a class or interface. */
  readonly members: string[];
}

interface Doc {
  readonly doc?: string;
  readonly tags?: HelpEntry["tags"];
}

interface Member {
  readonly name: string;
  readonly kind?: string;
  readonly jsDoc?: Doc;
  readonly location: { readonly filename: string; readonly line: number };
}

interface Declaration extends Member {
  readonly declarationKind: string;
  readonly kind: string;
  readonly def?: { readonly methods?: readonly Member[]; readonly properties?: readonly Member[] };
}

/** The part of `deno doc --json` that is read here. */
export interface DocJson {
  readonly nodes: Readonly<
    Record<string, {
      readonly symbols?: readonly {
        readonly name: string;
        readonly declarations: readonly Omit<Declaration, "name">[];
      }[];
    }>
  >;
}

/**
 * Entries by name; a method of a class is `Class.method`.
 *
 * @param documents of several modules; what comes first wins
 */
export function helpIndex(document: DocJson): Map<string, HelpEntry> {
  const index = new Map<string, HelpEntry>();
  const add = (name: string, kind: string, { jsDoc, location }: Omit<Member, "name">) => {
    const there = index.get(name);
    if (there !== undefined && (there.doc !== "" || (jsDoc?.doc ?? "") === "")) return;
    index.set(name, {
      name,
      kind,
      doc: jsDoc?.doc ?? "",
      tags: jsDoc?.tags ?? [],
      file: location.filename,
      // deno doc counts from 0.
      line: location.line + 1,
      members: [],
    });
  };
  for (const { symbols = [] } of Object.values(document.nodes)) {
    for (const { name, declarations } of symbols) {
      for (const declaration of declarations) {
        if (declaration.declarationKind !== "export") continue;
        add(name, declaration.kind, declaration);
        const { methods = [], properties = [] } = declaration.def ?? {};
        for (const { name: member, kind, ...rest } of [...properties, ...methods]) {
          if (member.startsWith("[")) continue;
          add(`${name}.${member}`, kind ?? "property", rest);
          index.get(name)!.members.push(kind === "method" ? `${member}()` : member);
        }
      }
    }
  }
  return index;
}

/** Readers of source files, for signatures; null if there is none to be had. */
export type ReadSource = (url: string) => string | null;

/**
 * An entry as text: what is declared, what it means, an example.
 *
 * @param borrowed whose example is shown if the entry has none
 *
 * @example
 * ```ts
 * import { helpText } from "grantlab/repl";
 * const entry = { name: "hex", kind: "function", doc: "In hex.", tags: [], file: "", line: 1, members: [] };
 * if (helpText(entry, () => null) !== "function hex\nIn hex.") throw new Error();
 * ```
 */
export function helpText(entry: HelpEntry, readSource: ReadSource, borrowed?: HelpEntry): string {
  const { name, kind, doc, tags } = entry;
  const source = readSource(entry.file);
  const signature = source === null ? "" : signatureAt(source, entry.line);
  const of = (wanted: string) => tags.filter((tag) => tag.kind === wanted);
  const lines = [`${kind} ${name}`];
  if (signature !== "") lines.push(...signature.split("\n").map((line) => `  ${line}`));
  lines.push(plain(doc === "" ? "(no description)" : doc));
  for (const tag of of("param")) if (tag.doc !== undefined) lines.push(plain(`  ${tag.name}: ${tag.doc}`));
  for (const tag of of("return")) lines.push(plain(`  answers ${tag.doc ?? ""}`));
  for (const tag of of("throws")) lines.push(plain(`  throws ${tag.doc ?? ""}`));
  const members = [...new Set(entry.members)].sort();
  if (members.length > 0) lines.push(`  members: ${members.join(", ")}`);
  const [own = borrowed?.tags.find((tag) => tag.kind === "example")] = of("example");
  if (own !== undefined) {
    const code = (own.doc ?? "").replaceAll(/^```.*\n?/gm, "").trimEnd();
    lines.push(tags.includes(own) ? "Example" : `Example, of ${borrowed!.name}`, ...indented(code));
  }
  return lines.join("\n");
}

function indented(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}

/** Documentation without markup. */
function plain(doc: string): string {
  return doc.trimEnd()
    .replaceAll(
      /\{@link(?:code|plain)?\s+([^}|]+)(?:\|\s*([^}]*))?\}/g,
      (_, target, text) => (text ?? target).trim(),
    )
    .replaceAll(/^```.*\n?/gm, "");
}

/** Most lines of a declaration that are shown. */
const MOST_LINES = 12;

/** The declaration that begins in a line: up to its body. */
export function signatureAt(source: string, line: number): string {
  const lines = source.split("\n").slice(line - 1, line - 1 + MOST_LINES);
  const indent = /^\s*/.exec(lines[0] ?? "")![0].length;
  const text = lines.map((each) => each.slice(Math.min(indent, each.search(/\S|$/)))).join("\n");
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (depth === 0 && (c === ";" || c === "{" && /[)\w>\]]\s$/.test(text.slice(0, i)))) {
      return text.slice(0, i).trimEnd();
    }
    if (depth === 0 && c === "=" && text[i + 1] !== ">" && text[i - 1] !== "=") {
      return text.slice(0, i).trimEnd();
    }
    if ("([{".includes(c)) depth++;
    if (")]}".includes(c)) depth--;
  }
  return lines[0]?.trim() ?? "";
}

/**
 * The documentation of a name as text: of a name of the library, of a member of a class, or of a member of a live
 * object. Never throws for what is asked.
 */
export async function helpFor(asked: string, context: HelpContext): Promise<string> {
  const path = asked.trim().replace(/\(.*\)$/s, "");
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$.]*$/u.test(path)) {
    return `Cannot explain ${JSON.stringify(asked)}: write ? and a name, as in ?world or ?qemu.munmap`;
  }
  const index = await cachedIndex(context.module);
  if (typeof index === "string") return index;
  const entry = await find(index, path, context);
  if (entry !== undefined) return helpText(entry, readLocal, exampleUsing(index, entry));
  const last = path.split(".").at(-1)!;
  const known = [...index.keys()];
  const within = known.filter((name) => name.toLowerCase().includes(last.toLowerCase())).sort();
  const lasts = new Set(
    nearNames([...new Set(known.map((name) => name.split(".").at(-1)!))], last).slice(0, 3),
  );
  const near = [...within, ...known.filter((name) => lasts.has(name.split(".").at(-1)!))].slice(0, 12);
  return `Nothing is known of ${path}${near.length === 0 ? "" : `; there are ${near.join(", ")}`}`;
}

/** The entry of a name, as {@linkcode helpFor} finds it; undefined if there is none. Never throws. */
export async function entryFor(path: string, context: HelpContext): Promise<HelpEntry | undefined> {
  const index = await cachedIndex(context.module);
  return typeof index === "string" ? undefined : await find(index, path, context);
}

/** An entry whose example uses this one. */
function exampleUsing(
  index: ReadonlyMap<string, HelpEntry>,
  { name, kind }: HelpEntry,
): HelpEntry | undefined {
  const member = name.split(".")[1];
  const use = member === undefined
    ? new RegExp(`\\b${name}\\b`)
    : new RegExp(`\\.${member}\\b${kind === "method" ? "\\(" : ""}`);
  for (const other of index.values()) {
    if (other.tags.some((tag) => tag.kind === "example" && use.test(tag.doc ?? ""))) return other;
  }
  return undefined;
}

async function find(
  index: ReadonlyMap<string, HelpEntry>,
  path: string,
  { classOf }: HelpContext,
): Promise<HelpEntry | undefined> {
  const at = path.lastIndexOf(".");
  if (at > 0) {
    const owner = await classOf(path.slice(0, at));
    const member = owner === undefined ? undefined : index.get(`${owner}.${path.slice(at + 1)}`);
    if (member !== undefined) return member;
  }
  const direct = index.get(path);
  if (direct !== undefined) return direct;
  const own = await classOf(path);
  if (own !== undefined && index.has(own)) return index.get(own);
  const members = [...index.keys()].filter((name) => name.endsWith(`.${path}`));
  return members.length === 1 ? index.get(members[0]!) : undefined;
}

function readLocal(url: string): string | null {
  try {
    return Deno.readTextFileSync(new URL(url));
  } catch {
    return null;
  }
}

/** Kept on the global object, not in a module: a session asks for it again and again. */
const CACHE: unique symbol = Symbol.for("grantlab.repl.help");

/** The index, or why there is none. */
function cachedIndex(module: string): Promise<Map<string, HelpEntry> | string> {
  const cache = globalThis as { [CACHE]?: Promise<Map<string, HelpEntry> | string> };
  return cache[CACHE] ??= readIndex(module);
}

async function readIndex(module: string): Promise<Map<string, HelpEntry> | string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...modulesOf(module)],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) return `Cannot read the documentation: ${decoder.decode(stderr).trim().split("\n")[0]}`;
  return helpIndex(JSON.parse(decoder.decode(stdout)));
}

/** The module, then those of the layers beside it. */
function modulesOf(module: string): string[] {
  const config = readLocal(new URL("deno.json", module).href);
  if (config === null) return [module];
  const { exports = {} } = JSON.parse(config) as { exports?: Record<string, string> };
  return [...new Set([module, ...Object.values(exports).map((path) => new URL(path, module).href)])];
}
