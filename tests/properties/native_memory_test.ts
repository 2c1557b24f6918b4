/**
 * Native memory keeps what the reference says, whatever is mapped, cut, moved, forked and pinned; and stays in order
 * when memory runs out in the middle of a call.
 *
 * @module
 */

import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { nativeHistory, runNative } from "./native_history.ts";

const SEED = 20141013;
const RUNS = 400;

Deno.test("no history of native memory calls reads what the reference does not say", () => {
  let compared = 0;
  fc.assert(
    fc.property(nativeHistory, (commands) => {
      const outcome = runNative(commands);
      compared += outcome.compared;
      if (outcome.failure !== null) throw new Error(`${outcome.failure}\n\nreplay:\n${outcome.script}\n`);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  assertGreaterOrEqual(compared, 24 * RUNS, "the histories compare too little");
});

Deno.test("no allocation failure in the middle of a call leaves anything out of order", () => {
  let injected = 0;
  fc.assert(
    fc.property(nativeHistory, (commands) => {
      const outcome = runNative(commands, true);
      injected += outcome.injected;
      if (outcome.failure !== null) throw new Error(`${outcome.failure}\n\nreplay:\n${outcome.script}\n`);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  assertGreaterOrEqual(injected, RUNS, "too few allocations fail");
});

Deno.test("runNative() prints a script that runs", async () => {
  const base = { process: 0, page: 0, pages: 2, to: 4, prot: 3, shared: false, byte: 0, fails: 0 };
  const { failure, script } = runNative([
    { ...base, do: "mmap" },
    { ...base, do: "write" },
    { ...base, do: "fork" },
    { ...base, do: "mremap" },
    { ...base, do: "read" },
    { ...base, do: "exit" },
  ]);
  assertEquals(failure, null);
  const mm = await import("../../lib/linux/mm/mod.ts");
  const printed: unknown[] = [];
  const body = script.split("\n").filter((line) => !line.startsWith("import")).join("\n");
  new Function("mm", "console", body)(mm, { log: (value: unknown) => printed.push(value) });
  assertEquals(printed.length, 4);
  assertEquals((printed[3] as { ok: boolean }).ok, false);
});
