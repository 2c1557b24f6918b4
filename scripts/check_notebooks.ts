/**
 * Reads the committed notebooks and their index: each is numbered without a gap and listed once, in order; it starts from
 * a question, shows something, has no error among its outputs, says what to change; links to notebooks lead somewhere.
 *
 * ```sh
 * deno run --allow-read scripts/check_notebooks.ts
 * ```
 *
 * @module
 */

import { parseNotebook, wholeText } from "../lib/jupyter/notebook.ts";
import { conclude, type Finding } from "./gate/finding.ts";
import { exists, filesBelow, readText } from "./gate/project_files.ts";

const FOLDER = "notebooks";
const INDEX = `${FOLDER}/README.md`;

if (import.meta.main) {
  const files = filesBelow(FOLDER, [".ipynb"]);
  const findings = [
    ...findUnlisted(files.map(nameOf), readText(INDEX)),
    ...files.flatMap((file) => findFaults(file, readText(file))),
    ...[INDEX, ...files].flatMap((file) =>
      findDeadLinks(file, readText(file), (name) => exists(`${FOLDER}/${name}`))
    ),
  ];
  conclude(findings, `${files.length} notebooks`);
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

/** Notebooks that the index lacks, has twice or in another order, and numbers that are not 1, 2, 3 … */
export function findUnlisted(names: readonly string[], index: string): Finding[] {
  const sorted = [...names].sort();
  const listed = [...index.matchAll(/^\| \[\d+, [^\]]*\]\(([^)]*\.ipynb)\)/gm)].map((match) => match[1]!);
  const findings: Finding[] = sorted.flatMap((name, i) =>
    name.startsWith(`${String(i + 1).padStart(2, "0")}-`)
      ? []
      : [{ file: `${FOLDER}/${name}`, reason: `its number is not ${i + 1}` }]
  );
  if (listed.join() === sorted.join()) return findings;
  const unlisted = sorted.filter((name) => !listed.includes(name));
  const reasons = unlisted.length > 0
    ? unlisted.map((name) => `${name} is not listed`)
    : ["the list is not the notebooks in their order, each once"];
  return [...findings, ...reasons.map((reason) => ({ file: INDEX, reason }))];
}

/** What a reader would miss in a notebook. */
export function findFaults(file: string, text: string): Finding[] {
  const { cells } = parseNotebook(text, file);
  const prose = cells.filter(({ cell_type }) => cell_type === "markdown").map(({ source }) =>
    wholeText(source)
  );
  const outputs = cells.flatMap((cell) => cell.outputs ?? []);
  const reasons: string[] = [];
  if (!/^# /.test(prose[0] ?? "") || cells[0]?.cell_type !== "markdown") reasons.push("it has no title");
  if (!prose[0]?.includes("?")) reasons.push("it does not start from a question");
  if (!outputs.some(({ output_type }) => output_type === "display_data")) reasons.push("it shows nothing");
  if (outputs.some(({ output_type }) => output_type === "error")) reasons.push("an output is an error");
  if (!prose.some((each) => /^## Try it$/m.test(each))) reasons.push("it does not say what to try");
  return reasons.map((reason) => ({ file, reason }));
}

/** Links to notebooks that are not there, or whose text has the number of another. */
export function findDeadLinks(file: string, text: string, isThere: (name: string) => boolean): Finding[] {
  return [...text.matchAll(/\[(\d\d)?[^\][]*\]\(([\w-]+\.ipynb)\)/g)].flatMap(([, number, name]) => {
    if (!isThere(name!)) return [{ file, reason: `there is no ${name}` }];
    return number === undefined || name!.startsWith(`${number}-`)
      ? []
      : [{ file, reason: `a link to ${name} says ${number}` }];
  });
}
