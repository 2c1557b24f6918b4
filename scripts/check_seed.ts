/**
 * Runs `scripts/seed.ts --json` and holds its answer to what the proposal of 2014 and the releases after it are known
 * to do: two designs reach a wrong page somewhere, the others never.
 *
 * ```sh
 * deno run --allow-read --allow-run scripts/check_seed.ts
 * ```
 *
 * @module
 */

import { conclude, type Finding } from "./gate/finding.ts";
import { ROOT } from "./gate/project_files.ts";

const SCRIPT = "scripts/seed.ts";

/** Designs, and whether they are right on every page. */
const DESIGNS: Readonly<Record<string, boolean>> = {
  linux3_19: true,
  draft_b: false,
  seed2014: false,
  vma_pages_v1: true,
  linux4_0: true,
  linux6_1: true,
};

const FIELDS = ["design", "page", "path", "reached", "expected", "verdict", "events"];

if (import.meta.main) {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", SCRIPT, "--json"],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    console.log(decoder.decode(stderr));
    Deno.exit(1);
  }
  const rows = readRows(decoder.decode(stdout));
  conclude(findWrongAnswers(rows), `${rows.length} rows of the seed's question`);
}

/** A row as it is printed; its fields are what {@linkcode findWrongAnswers} looks for. */
export type SeedRow = Readonly<Record<string, unknown>>;

/** Rows out of an array or out of one object per line. */
export function readRows(text: string): SeedRow[] {
  const json = text.trim();
  return json.startsWith("[")
    ? JSON.parse(json) as SeedRow[]
    : json.split("\n").map((line) => JSON.parse(line) as SeedRow);
}

/** Rows that lack a field, designs that are missing, and designs that are not as right or wrong as known. */
export function findWrongAnswers(rows: readonly SeedRow[]): Finding[] {
  const findings: Finding[] = [];
  rows.forEach((row, i) => {
    const missing = FIELDS.filter((field) => !Object.hasOwn(row, field));
    if (missing.length > 0) {
      findings.push({ file: SCRIPT, reason: `row ${i + 1} lacks ${missing.join(", ")}` });
    }
  });
  for (const [design, isRight] of Object.entries(DESIGNS)) {
    const own = rows.filter((row) => row["design"] === design);
    const wrong = own.filter((row) => JSON.stringify(row["reached"]) !== JSON.stringify(row["expected"]));
    if (own.length === 0) findings.push({ file: SCRIPT, reason: `no row of ${design}` });
    else if (isRight !== (wrong.length === 0)) {
      const known = isRight ? "right on every page" : "wrong on some page";
      findings.push({
        file: SCRIPT,
        reason: `${design} is known to be ${known}: ${wrong.length} rows wrong`,
      });
    }
  }
  return findings;
}
