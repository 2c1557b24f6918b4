/**
 * Reads every citation of `lib` and says which are malformed. With `--list`, prints them instead, sorted by what
 * they cite: the way from a kernel name to ours.
 *
 * ```sh
 * deno run --allow-read scripts/check_citations.ts [--list]
 * ```
 *
 * @module
 */

import { citationsOf } from "./gate/citation.ts";
import { conclude } from "./gate/finding.ts";
import { filesBelow, readText } from "./gate/project_files.ts";

if (import.meta.main) {
  const read = filesBelow("lib", [".ts", ".json"]).map((file) => citationsOf(file, readText(file)));
  const citations = read.flatMap((r) => r.citations);
  if (Deno.args.includes("--list")) {
    const rows = citations.map((c) =>
      [c.source, c.edition, c.where, c.words].filter((part) => part !== "").join(" ") +
      `\t${c.file}:${c.line}`
    );
    for (const row of rows.sort()) console.log(row);
  } else {
    conclude(read.flatMap((r) => r.findings), `${citations.length} citations`);
  }
}
