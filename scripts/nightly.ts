/**
 * Many random histories of native memory calls, more than the gate has time for; a failure shrinks and prints a script
 * that replays it. `deno task test:nightly [SEED]`.
 *
 * @module
 */

import fc from "fast-check";
import { nativeHistory, runNative } from "../tests/properties/native_history.ts";

const RUNS = 10_000;

const seed = Number(Deno.args[0] ?? crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1);
if (!Number.isSafeInteger(seed)) {
  console.error(`Cannot take ${Deno.args[0]} as a seed: it is not a whole number`);
  Deno.exit(2);
}
console.log(`seed ${seed}, ${RUNS} histories each`);
for (const inject of [false, true]) {
  const property = fc.property(nativeHistory, (commands) => {
    const { failure, script } = runNative(commands, inject);
    if (failure !== null) throw new Error(`${failure}\n\nreplay:\n${script}\n`);
  });
  const result = fc.check(property, { seed, numRuns: RUNS });
  const what = inject ? "with allocation failures" : "against the reference";
  if (result.failed) {
    console.error(`${what}: failed after ${result.numRuns} histories: ${result.errorInstance}`);
    Deno.exit(1);
  }
  console.log(`${what}: ${RUNS} passed`);
}
