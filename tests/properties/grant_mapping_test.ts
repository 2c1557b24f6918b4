/**
 * Right designs survive every history; wrong ones are caught by the same property, which then shrinks what it found.
 *
 * @module
 */

import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual, assertMatch } from "@std/assert";
import fc from "fast-check";
import { history, run } from "./history.ts";

const SEED = 20141013;
const RUNS = 300;

for (const design of ["linux3_19", "vma_pages_v1", "linux4_0", "linux6_1", "linux7_1"]) {
  Deno.test(`${design}: no history of mappings, splits and direct I/O goes wrong`, () => {
    let judgedAfterCut = 0;
    fc.assert(
      fc.property(history, (commands) => {
        const outcome = run(design, commands);
        const { failure, script } = outcome;
        judgedAfterCut += outcome.judgedAfterCut;
        if (failure !== null) throw new Error(`${failure}\n\nreplay:\n${script}\n`);
      }),
      { seed: SEED, numRuns: RUNS },
    );
    assertGreaterOrEqual(judgedAfterCut, 200, "the histories exercise too little");
  });
}

// The shortest way to each bug: grant, map, (cut the head off,) transfer.
const BROKEN: readonly { design: string; atMost: number; says: RegExp }[] = [
  { design: "classic2005", atMost: 8, says: /wrong-page|errno|must-fail/ },
  { design: "draft_b", atMost: 8, says: /wrong-page|crash/ },
  { design: "seed2014", atMost: 8, says: /wrong-page|errno/ },
];

for (const { design, atMost, says } of BROKEN) {
  Deno.test(`${design}: the property finds the known bug and shrinks it to ${atMost} commands or fewer`, () => {
    const property = fc.property(history, (commands) => run(design, commands).failure === null);
    const { failed, counterexample } = fc.check(property, { seed: SEED, numRuns: RUNS });
    assert(failed && counterexample !== null);
    const [commands] = counterexample;
    assertLessOrEqual(commands.length, atMost);
    const { failure, script } = run(design, commands);
    assertMatch(failure ?? "", says);
    assertMatch(script, /mmapGrants[^]*direct(Read|Write)/);
  });
}

Deno.test("run() prints a script that fails the same way", async () => {
  const { failure, script } = run("seed2014", [
    { do: "grant", pages: 3, beyond: false, readonly: false },
    { do: "map", process: 0, grant: 0 },
    { do: "munmap", mapping: 0, from: 0, pages: 1 },
    { do: "directRead", mapping: 0, from: 1, pages: 1 },
  ]);
  assertMatch(failure ?? "", /errno|wrong-page/);
  const body = script.split("\n").filter((line) => !line.startsWith("import"));
  const { world } = await import("../../mod.ts");
  const printed: string[] = [];
  new Function("world", "console", body.join("\n"))(world, { log: (text: string) => printed.push(text) });
  assertEquals(printed, [failure]);
});
