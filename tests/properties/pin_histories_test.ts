/**
 * Pins over splits, unmaps, forks and several processes: from Linux 4.0 on nothing goes wrong silently; each older
 * design's known bug is found by the reference alone and shrunk to a handful of calls.
 *
 * @module
 */

import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual, assertMatch } from "@std/assert";
import fc from "fast-check";
import { type PinCommand, pinHistory, preamble, runPins } from "./pin_history.ts";

const SEED = 20141013;
const RUNS = 1500;

/** Calls that a person has to read, and to repeat. */
const MOST_CALLS = 8;

for (const design of ["vma_pages_v1", "linux4_0", "linux6_1", "lazy_fault", "linux7_1"]) {
  Deno.test(`${design}: no history of pins, splits and forks does harm that nobody reports`, () => {
    let judged = 0;
    let known = 0;
    fc.assert(
      fc.property(pinHistory, (commands) => {
        const outcome = runPins(design, commands);
        judged += outcome.judged;
        if (outcome.isKnownBug) known++;
        const { failure, calls } = outcome;
        if (failure !== null) {
          throw new Error(`${failure}\n\n${[...preamble(design), ...calls].join("\n")}\n`);
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
    assertGreaterOrEqual(judged, 1000, "the histories exercise too little");
    // The recorded bug, a page held at munmap, must come up, or the histories would not reach where it matters.
    assertGreaterOrEqual(known, 50);
  });
}

// What each older design is known for.
const BROKEN: readonly { design: string; says: RegExp }[] = [
  { design: "classic2005", says: /wrong-page|wrongly|where nothing is mapped|must-fail/ },
  { design: "linux3_19", says: /holds slot .* and the grant has been given back/ },
  { design: "draft_b", says: /wrong-page|crash/ },
  { design: "seed2014", says: /wrong-page|wrongly/ },
  { design: "linux6_0", says: /kernel log: .*(Bad page map|mapcount)/ },
];

for (const { design, says } of BROKEN) {
  Deno.test(`${design}: the known bug is found and shrunk to at most ${MOST_CALLS} calls`, () => {
    const property = fc.property(pinHistory, (commands) => runPins(design, commands).failure === null);
    const { failed, counterexample } = fc.check(property, { seed: SEED, numRuns: RUNS });
    assert(failed && counterexample !== null);
    const { failure, calls } = runPins(design, counterexample[0]);
    assertMatch(failure ?? "", says);
    assertLessOrEqual(calls.length, MOST_CALLS, calls.join("\n"));
  });
}

Deno.test("runPins() prints calls that can be made as they are", async () => {
  const history: PinCommand[] = [
    { do: "grant", pages: 2 },
    { do: "map", process: 1, grant: 0 },
    { do: "pin", mapping: 0, from: 1 },
    { do: "vmsplice", mapping: 0, from: 0 },
    { do: "fork", process: 1 },
    { do: "direct", mapping: 0, from: 0 },
    { do: "letGo", hold: 0 },
    { do: "letGo", hold: 0 },
    { do: "munmap", mapping: 0, from: 0, pages: 1 },
    { do: "advance", ms: 5 },
  ];
  const { failure, calls } = runPins("linux6_1", history);
  assertEquals([failure, calls.length], [null, history.length]);
  const body = [...preamble("linux6_1"), ...calls].filter((line) => !line.startsWith("import")).join("\n");
  const { world } = await import("../../mod.ts");
  const { Pipe } = await import("../../lib/drivers/mod.ts");
  const mm = await import("../../lib/linux/mm/mod.ts");
  const names = ["world", "Pipe", "console", ...Object.keys(mm)];
  const printed: string[] = [];
  const log = (value: unknown) => printed.push(typeof value === "string" ? value : JSON.stringify(value));
  new Function(...names, body)(world, Pipe, { log }, ...Object.values(mm));
  assertEquals(printed[0], JSON.stringify({ ok: true, value: 4096 }));
  assertMatch(printed[1]!, /ok/);
});
