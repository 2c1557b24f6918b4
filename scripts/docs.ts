/**
 * Writes the reference to `out/docs`: a page per layer and per name, out of the docstrings, and
 * `cross_reference.html`, from names of Linux and Xen to ours. `deno task docs`; then open `out/docs/index.html`.
 *
 * @module
 */

import { type CrossReference, crossReference, librarySources } from "../lib/cli/cross_reference.ts";
import { escapeHtml } from "../lib/core/view.ts";
import { exists, ROOT } from "./gate/project_files.ts";
import { LAYERS } from "./layers.ts";

const FOLDER = "out/docs";

async function main(): Promise<number> {
  const layers = Object.keys(LAYERS).map((layer) => `lib/${layer}/mod.ts`).filter((file) => exists(file));
  await Deno.mkdir(new URL("out", ROOT), { recursive: true });
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--html", "--name=grantlab", `--output=${FOLDER}`, "mod.ts", ...layers],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  if (code !== 0) {
    console.error(new TextDecoder().decode(stderr));
    return 1;
  }
  const folder = new URL(`${FOLDER}/`, ROOT);
  for (const file of pagesIn(folder)) {
    const html = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, withAddresses(html));
  }
  const references = crossReference(librarySources(ROOT));
  await Deno.writeTextFile(new URL(`${FOLDER}/cross_reference.html`, ROOT), page(references));
  console.log(`${FOLDER}/index.html: ${layers.length} layers`);
  console.log(`${FOLDER}/cross_reference.html: ${new Set(references.map(({ name }) => name)).size} names`);
  return 0;
}

function pagesIn(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return pagesIn(new URL(`${encodeURIComponent(name)}/`, folder));
    return name.endsWith(".html") ? [new URL(encodeURIComponent(name), folder)] : [];
  });
}

/** A page whose lines of import name what a script can import: `grantlab/core`, where the generator has the folder `core`. */
export function withAddresses(html: string): string {
  const names: Readonly<Record<string, unknown>> = LAYERS;
  return html.replaceAll(/ from &quot;([\w./]+)&quot;/g, (all, name: string) => {
    if (name === ".") return " from &quot;grantlab&quot;";
    return Object.hasOwn(names, name) ? ` from &quot;grantlab/${name}&quot;` : all;
  });
}

/** The table; our names lead to the line that cites. */
function page(references: readonly CrossReference[]): string {
  const rows = references.map(({ name, source, release, file, ours, path, line }) => {
    const where = `${source} ${release} ${file}`;
    const cells = [name, where, ours, `${path}:${line}`].map((text) => `<td>${escapeHtml(text)}</td>`);
    return `<tr id="${escapeHtml(name)}">${cells.join("")}</tr>`;
  });
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>grantlab: from their names to ours</title>',
    "<style>body{font-family:sans-serif}td,th{padding:2px 12px 2px 0;text-align:left}</style>",
    "<h1>From names of Linux and Xen to ours</h1>",
    "<p>Out of the <code>@cite</code> lines of the source: what is modelled, where it stands there, and what models it here.</p>",
    "<table><tr><th>theirs<th>release and file<th>ours<th>line</tr>",
    ...rows,
    "</table></html>\n",
  ].join("\n");
}

if (import.meta.main) Deno.exit(await main());
