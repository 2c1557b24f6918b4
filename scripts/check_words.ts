/**
 * Reads every text of the project for what must not be in it: paths and hosts of one machine, promises instead of
 * code, files that are too long. What a clone is made of is what counts; folders that are not ours are skipped.
 *
 * ```sh
 * deno run --allow-read scripts/check_words.ts
 * ```
 *
 * @module
 */

import { conclude, type Finding } from "./gate/finding.ts";
import { filesBelow, lineAt, readText } from "./gate/project_files.ts";

const TEXTS = [
  ".ts",
  ".js",
  ".mjs",
  ".json",
  ".md",
  ".c",
  ".h",
  ".sh",
  ".lock",
  "run",
  ".gitignore",
  ".gitattributes",
];

/** No file of code is longer, in lines. */
const LONGEST_FILE = 400;

/** Written so that this file does not find itself. */
const FORBIDDEN: ReadonlyArray<readonly [pattern: RegExp, reason: string]> = [
  [/(?<![\w.-])\/(?:work|root|home\/\w+|Users\/\w+)\b(?!\.)/g, "a path of one machine"],
  [/\bshared\/(?:oracle|spec)\b/g, "a path outside the project"],
  [/\bdeno-de[v]\b/g, "a tool of one machine"],
  [/\bregistry\.(?:npmjs|yarnpkg|npmmirror)\b|\bnpm\.jsr\.io\b/g, "a registry's host"],
  [/\bTO(?:DO)\b|\bFIX(?:ME)\b|\bXX(?:X)\b|\bHA(?:CK)\b/g, "a promise; open an issue or finish it"],
  [
    /\bfor no[w]\b|\bplace(?:holder)\b|\bnot imple(?:mented)\b|\bst[u]b(?:s|bed)?\b/gi,
    "a promise; say what it does",
  ],
];

if (import.meta.main) {
  const files = filesBelow("", TEXTS).filter((f) => !f.startsWith("tests/golden/"));
  conclude(files.flatMap((file) => findWords(file, readText(file))), `${files.length} files`);
}

/** What must not be in this file. */
export function findWords(file: string, text: string): Finding[] {
  const findings: Finding[] = [];
  for (const [pattern, reason] of FORBIDDEN) {
    for (const match of text.matchAll(pattern)) {
      findings.push({ file, line: lineAt(text, match.index), reason: `"${match[0]}" is ${reason}` });
    }
  }
  if (file === "deno.lock") {
    for (const match of text.matchAll(/"tarball"|\w+:\/\/[^"\s]+/g)) {
      findings.push({
        file,
        line: lineAt(text, match.index),
        reason: `"${match[0]}" ties the lockfile to one registry`,
      });
    }
  }
  const lines = text.split("\n").length - 1;
  if (file.endsWith(".ts") && lines > LONGEST_FILE) {
    findings.push({ file, reason: `${lines} lines; split it, ${LONGEST_FILE} is the most` });
  }
  return findings;
}
