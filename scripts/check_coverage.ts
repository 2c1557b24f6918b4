/**
 * Holds the line coverage of `lib` to a threshold, out of the profiles that the tests left. A file
 * that no test loads counts as not covered.
 *
 * ```sh
 * deno run --allow-read --allow-run scripts/check_coverage.ts [--files]
 * ```
 *
 * @module
 */

import { filesBelow, readText, ROOT } from "./gate/project_files.ts";
import { phases } from "./gate/steps.ts";
import { readLcov, summarize } from "./gate/lcov.ts";

/** Per cent of lines. */
const THRESHOLD = 85;

/** Not measured: doors to packages. */
const NOT_MEASURED = ["lib/std/"];

/** Where the steps of tests leave their profiles. */
const PROFILES = phases(false).flat()
  .flatMap(({ coverage }) => coverage ?? []).filter((folder) => filesBelow(folder, [".json"]).length > 0);

if (import.meta.main) {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["coverage", "--lcov", ...PROFILES],
    cwd: ROOT,
  }).output();
  if (!success) {
    console.log(new TextDecoder().decode(stderr));
    Deno.exit(1);
  }
  const all = filesBelow("lib", [".ts"])
    .filter((file) => !NOT_MEASURED.some((folder) => file.startsWith(folder)))
    .map((file) => ({ file, text: readText(file) }));
  const root = decodeURIComponent(ROOT.pathname);
  const { percent, files } = summarize(readLcov(new TextDecoder().decode(stdout), root), all);
  const isEnough = percent >= THRESHOLD;
  const worst = files.toSorted((a, b) => (b.lines - b.hit) - (a.lines - a.hit));
  if (!isEnough || Deno.args.includes("--files")) {
    for (const { file, lines, hit } of worst.slice(0, 20)) {
      console.log(
        `${(100 * hit / lines).toFixed(1).padStart(5)} %  ${lines - hit} of ${lines} lines not run  ${file}`,
      );
    }
  }
  console.log(`lines of lib covered: ${percent.toFixed(1)} %, at least ${THRESHOLD} % wanted`);
  if (!isEnough) Deno.exit(1);
}
