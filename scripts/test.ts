/**
 * The gate. Runs every step, prints one line for each and the output of those that fail; the last line is
 * `N passed, M failed`, the exit code 1 if M is not 0. With `--fast`, only what needs no test to run.
 *
 * ```sh
 * deno task test
 * deno task check
 * ```
 *
 * The steps are in `gate/steps.ts`.
 *
 * @module
 */

import { ROOT } from "./gate/project_files.ts";
import { runPhase } from "./gate/run_step.ts";
import { phases } from "./gate/steps.ts";

/** Steps at the same time; more would only make the slow ones slower on two cores. */
const LANES = 2;

/** Lines of a failing step that are shown, the last ones. */
const SHOWN_LINES = 300;

const fastOnly = Deno.args.includes("--fast");
if (!fastOnly) await removeOldProfiles();
let passed = 0;
let failed = 0;
for (const steps of phases(fastOnly)) {
  for await (const result of runPhase(steps, LANES)) {
    passed += result.passed;
    failed += result.failed;
    const tests = result.step.isTests ? `, ${result.passed} tests` : "";
    const word = result.failed === 0 ? "ok" : "FAILED";
    console.log(`${word} ${result.step.name} ${result.seconds.toFixed(1)} s${tests}`);
    if (result.failed > 0) console.log(lastLines(result.output));
  }
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) Deno.exit(1);

/** Profiles of an earlier run would count lines as covered that no test reaches any more. */
async function removeOldProfiles(): Promise<void> {
  try {
    await Deno.remove(new URL("coverage", ROOT), { recursive: true });
  } catch (e) {
    if (!(e instanceof Deno.errors.NotFound)) throw e;
  }
}

/** What matters of a failed step: of tests the errors, not the long list of those that passed. */
function lastLines(output: string): string {
  const errors = output.search(/^ *ERRORS *$/m);
  const lines = output.slice(Math.max(errors, 0)).trimEnd().split("\n").map((line) => `  ${line}`);
  if (lines.length <= SHOWN_LINES) return lines.join("\n");
  return [`  (${lines.length - SHOWN_LINES} lines before)`, ...lines.slice(-SHOWN_LINES)].join("\n");
}
