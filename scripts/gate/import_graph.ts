/**
 * Who imports whom, as the compiler resolves it (`deno info --json`), not as the text reads.
 *
 * @module
 */

import { ROOT } from "./project_files.ts";

/** One import. */
export interface Import {
  /** Path from the root of the file that imports. */
  readonly from: string;
  /** Path from the root of the file imported, or what it is instead: `npm:vega`, `node:fs`. */
  readonly to: string;
  /** True if nothing of it is there at run time (`import type`). */
  readonly typeOnly: boolean;
}

/** All imports of a set of files and of the project's files they reach; `broken` are those that do not resolve. */
export interface ImportGraph {
  readonly imports: readonly Import[];
  readonly broken: readonly { readonly file: string; readonly reason: string }[];
}

/** The part of `deno info --json` that is read here. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string; readonly error?: string };
      readonly type?: { readonly specifier?: string; readonly error?: string };
    }[];
  }[];
}

/** The graph of `files`, paths from `root`. One process for all of them. */
export async function importGraph(files: readonly string[], root: URL = ROOT): Promise<ImportGraph> {
  const entry = files.map((f) => `import ${JSON.stringify(new URL(f, root).href)};`).join("\n");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", `data:application/typescript,${encodeURIComponent(entry)}`],
    cwd: root,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot read the import graph: ${decoder.decode(stderr)}`);
  return graphOf(JSON.parse(decoder.decode(stdout)) as Info, root);
}

function graphOf(info: Info, root: URL): ImportGraph {
  const imports: Import[] = [];
  const broken: { file: string; reason: string }[] = [];
  for (const { specifier, error, dependencies } of info.modules) {
    const from = pathOf(specifier, root);
    if (from === undefined || from.startsWith("node_modules/")) continue;
    if (error !== undefined) broken.push({ file: from, reason: error });
    for (const { specifier: written, code, type } of dependencies ?? []) {
      const target = code?.specifier ?? type?.specifier;
      if (target === undefined) {
        broken.push({ file: from, reason: `${written}: ${code?.error ?? type?.error ?? "not resolved"}` });
        continue;
      }
      imports.push({ from, to: pathOf(target, root) ?? target, typeOnly: code === undefined });
    }
  }
  return { imports, broken };
}

/** Path from the root; packages installed below it as `npm:name`; `undefined` outside. */
function pathOf(specifier: string, root: URL): string | undefined {
  if (!specifier.startsWith(root.href)) return undefined;
  const path = decodeURIComponent(specifier.slice(root.href.length));
  const name = /^node_modules\/(?:\.deno\/[^/]+\/node_modules\/)?((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  return name === undefined ? path : `npm:${name}`;
}
