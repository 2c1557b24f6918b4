/**
 * Public names and their documentation: every file of `lib` opens with a module comment, every exported function,
 * class, interface and type has a sentence, and every layer can be imported under its name.
 *
 * ```sh
 * deno run --allow-read --allow-run scripts/check_docs.ts
 * ```
 *
 * That examples run is the business of the doc tests.
 *
 * @module
 */

import { conclude, type Finding } from "./gate/finding.ts";
import { exists, filesBelow, readText, ROOT } from "./gate/project_files.ts";
import { LAYERS } from "./layers.ts";

/** Layers with nothing to import from outside: doors to packages. */
const NOT_EXPORTED: ReadonlySet<string> = new Set(["std"]);

const NEED_A_SENTENCE: ReadonlySet<string> = new Set(["function", "class", "interface", "typeAlias", "enum"]);

/** The part of `deno doc --json` that is read here. */
export interface Documentation {
  readonly nodes: Readonly<
    Record<string, {
      readonly symbols?: readonly {
        readonly name: string;
        readonly declarations: readonly {
          readonly kind: string;
          readonly declarationKind: string;
          readonly location: { readonly filename: string; readonly line: number };
          readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly { readonly kind: string }[] };
        }[];
      }[];
    }>
  >;
}

if (import.meta.main) {
  const files = filesBelow("lib", [".ts"]);
  const modules = Object.keys(LAYERS).map((layer) => `lib/${layer}/mod.ts`).filter((file) => exists(file));
  const documentation = await readDocumentation(modules);
  conclude(
    [
      ...files.flatMap((file) => findNoModuleComment(file, readText(file))),
      ...findUndocumented(documentation),
      ...findNotImportable(modules, JSON.parse(readText("deno.json")) as PackageConfig),
    ],
    `${countSymbols(documentation)} public names of ${modules.length} layers`,
  );
}

async function readDocumentation(modules: readonly string[]): Promise<Documentation> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...modules],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot read the documentation: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout)) as Documentation;
}

/** Exported functions, classes, interfaces and types without a sentence; of overloads, one has it for all. */
export function findUndocumented({ nodes }: Documentation): Finding[] {
  const findings = new Map<string, Finding>();
  for (const { symbols } of Object.values(nodes)) {
    for (const { name, declarations } of symbols ?? []) {
      const needing = declarations.filter((d) =>
        d.declarationKind === "export" && NEED_A_SENTENCE.has(d.kind)
      );
      if (needing.length === 0 || needing.some((d) => (d.jsDoc?.doc ?? "").trim() !== "")) continue;
      const { location: { filename, line }, kind } = needing[0]!;
      const file = filename.startsWith(ROOT.href) ? filename.slice(ROOT.href.length) : filename;
      findings.set(`${file} ${name}`, { file, line: line + 1, reason: `${kind} ${name} has no docstring` });
    }
  }
  return [...findings.values()];
}

function countSymbols({ nodes }: Documentation): number {
  return Object.values(nodes).reduce((n, { symbols }) => n + (symbols?.length ?? 0), 0);
}

/** A file that does not open with a comment marked `@module`. */
export function findNoModuleComment(file: string, text: string): Finding[] {
  const comment = /^\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? "";
  return comment.includes("@module")
    ? []
    : [{ file, line: 1, reason: "does not open with a module comment" }];
}

/** What is read of `deno.json`. */
export interface PackageConfig {
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** Layers that `deno.json` does not export, or that examples cannot import as `grantlab/<layer>`. */
export function findNotImportable(modules: readonly string[], config: PackageConfig): Finding[] {
  const findings: Finding[] = [];
  for (const file of modules) {
    const layer = file.slice("lib/".length, -"/mod.ts".length);
    if (NOT_EXPORTED.has(layer)) continue;
    for (const [field, name] of [["exports", `./${layer}`], ["imports", `grantlab/${layer}`]] as const) {
      if (config[field][name] === `./${file}`) continue;
      findings.push({ file: "deno.json", reason: `${field} lacks "${name}": "./${file}"` });
    }
  }
  return findings;
}
