/**
 * Reads the committed notebooks and their index: each is numbered without a gap and listed once, in order, with the minutes
 * that it takes; it starts from a question, shows a figure, has no error among its outputs, says what to change; links to
 * notebooks lead somewhere.
 *
 * ```sh
 * deno run --allow-read scripts/check_notebooks.ts
 * ```
 *
 * @module
 */

import { type CellOutput, parseNotebook, wholeText } from "../lib/jupyter/notebook.ts";
import { conclude, type Finding } from "./gate/finding.ts";
import { exists, filesBelow, readText } from "./gate/project_files.ts";

const FOLDER = "notebooks";
const INDEX = `${FOLDER}/README.md`;

// How long reading takes. The index says the same in words.
const WORDS_PER_MINUTE = 200;
const SECONDS_PER_CELL_OR_FIGURE = 20;
const MOST_MINUTES = 10;

if (import.meta.main) {
  const files = filesBelow(FOLDER, [".ipynb"]);
  const minutes = new Map(files.map((file) => [nameOf(file), readingMinutes(file, readText(file))]));
  const findings = [
    ...findUnlisted(files.map(nameOf), readText(INDEX)),
    ...findWrongMinutes(minutes, readText(INDEX)),
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

/** Minutes that a notebook takes: its prose at reading speed, and a moment for each code cell and each figure. */
export function readingMinutes(file: string, text: string): number {
  const { cells } = parseNotebook(text, file);
  const code = cells.filter(({ cell_type }) => cell_type === "code");
  const figures = code.flatMap((cell) => cell.outputs ?? []).filter(isFigure).length;
  const words = cells.filter(({ cell_type }) => cell_type === "markdown")
    .flatMap(({ source }) => wholeText(source).split(/\s+/)).filter((word) => /[\p{L}\p{N}]/u.test(word))
    .length;
  return Math.ceil(words / WORDS_PER_MINUTE + (code.length + figures) * SECONDS_PER_CELL_OR_FIGURE / 60);
}

function isFigure(output: CellOutput): boolean {
  return output.output_type === "display_data" && "image/png" in output.data;
}

/** Rows of the index whose minutes are not what the notebook takes, and notebooks that take too long. */
export function findWrongMinutes(minutes: ReadonlyMap<string, number>, index: string): Finding[] {
  return [...index.matchAll(/^\| \[\d+, [^\]]*\]\(([^)]*\.ipynb)\) *\|[^|]*\| *(\d+) *\|/gm)].flatMap(
    ([, name, said]) => {
      const found = minutes.get(name!);
      if (found === undefined) return [];
      if (found > MOST_MINUTES) {
        return [{
          file: `${FOLDER}/${name}`,
          reason: `it takes ${found} minutes, ${MOST_MINUTES} is the most`,
        }];
      }
      return found === Number(said)
        ? []
        : [{ file: INDEX, reason: `${name} takes ${found} minutes, not ${said}` }];
    },
  );
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
  if (!outputs.some(isFigure)) reasons.push("it shows no figure");
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
