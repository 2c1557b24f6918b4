/**
 * Replays the golden data in `tests/golden` and compares with `tests/golden/expected.json`. A count that falls fails;
 * one that rises asks for the file to be updated, so that it cannot fall back unseen.
 *
 * ```sh
 * deno run --allow-read --allow-run scripts/check_conformance.ts
 * deno run --allow-read --allow-run --allow-write=tests/golden/expected.json \
 *   scripts/check_conformance.ts --update [PATH_BELOW_TESTS_GOLDEN…]
 * ```
 *
 * @module
 */

import { conclude } from "./gate/finding.ts";
import { compareTallies, type Expected, findUnreplayed, readTallies, type Tally } from "./gate/golden.ts";
import { exists, filesBelow, readText, ROOT } from "./gate/project_files.ts";

const FOLDER = "tests/golden";
const EXPECTED = `${FOLDER}/expected.json`;

/** Files there that are about the data, not data. */
const NOT_DATA: ReadonlySet<string> = new Set(["README.md", "expected.json", "deviations.json"]);

if (import.meta.main) {
  const expected: Expected = exists(EXPECTED) ? JSON.parse(readText(EXPECTED)) as Expected : {};
  if (Deno.args[0] === "--update") await update(expected, Deno.args.slice(1));
  else await check(expected);
}

async function check(expected: Expected): Promise<void> {
  const paths = Object.keys(expected);
  if (paths.length === 0) return conclude([{ file: EXPECTED, reason: "expects nothing" }], "0 golden paths");
  const data = filesBelow(FOLDER, [""]).map((f) => f.slice(FOLDER.length + 1)).filter((f) =>
    !NOT_DATA.has(f) && !f.endsWith("/README.md")
  );
  const tallies = await replay(paths);
  conclude(
    [...findUnreplayed(expected, data), ...compareTallies(expected, tallies)],
    `${paths.length} golden paths`,
  );
}

async function update(expected: Expected, added: readonly string[]): Promise<void> {
  const paths = [...new Set([...Object.keys(expected), ...added])].sort();
  const tallies = await replay(paths);
  const rows: Record<string, Tally> = Object.fromEntries(paths.map((path) => [path, tallies.get(path)!]));
  await Deno.writeTextFile(new URL(EXPECTED, ROOT), `${JSON.stringify(rows, null, 2)}\n`);
  console.log(`${EXPECTED}: ${paths.length} golden paths`);
}

async function replay(paths: readonly string[]): Promise<Map<string, Tally>> {
  const whole = paths.map((path) => `${FOLDER}/${path}`);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `--allow-read=${FOLDER}`, "scripts/grantlab.ts", "conform", ...whole],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  // 1 says that some rows failed, which may be expected.
  if (code > 1) throw new Error(`Cannot replay the golden data: ${decoder.decode(stderr)}`);
  const tallies = readTallies(decoder.decode(stdout), whole);
  return new Map([...tallies].map(([path, tally]) => [path.slice(FOLDER.length + 1), tally]));
}
