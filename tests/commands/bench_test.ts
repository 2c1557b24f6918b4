import { assertEquals, assertMatch } from "@std/assert";
import { median, ratiosOf } from "../../scripts/gate/ratios.ts";
import { runScript } from "../support/command.ts";

const BENCH = ["--allow-read", "--allow-run", "scripts/bench.ts"];

Deno.test("bench prints a ratio for each subject, the yardstick's is 1", async () => {
  const { code, stdout, stderr } = await runScript([...BENCH, "int_map", "--rounds", "1"]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.length, 3);
  assertMatch(lines[0]!, /^int_map: .* \(1 rounds\)$/);
  assertMatch(lines[1]!, /^ {2}Map +\d+\.\d ns\/look-up +1\.00 × Map \(1\.00–1\.00\)$/);
  assertMatch(lines[2]!, /^ {2}IntMap +\d+\.\d ns\/look-up +\d+\.\d\d × Map/);
});

Deno.test("bench refuses an unknown case and a bad count in one line", async () => {
  const cases: [args: string[], message: string][] = [
    [["nope"], 'Cannot run the case "nope": there are '],
    [["--rounds", "0"], 'Cannot run "0" rounds: it must be a whole number from 1 to 999'],
    [["--rounds", "x"], 'Cannot run "x" rounds: '],
    [["--rounds"], 'Cannot run "" rounds: '],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runScript([...BENCH, ...args]);
    assertEquals([code, stdout, stderr.startsWith(message)], [2, "", true], stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  }
});

Deno.test("median() takes the middle", () => {
  assertEquals([median([3]), median([9, 1, 5]), median([4, 1, 2, 100])], [3, 5, 3]);
});

Deno.test("ratiosOf() divides within each round", () => {
  // The second round was twice as slow for both: the ratio stays.
  const rounds = [{ ours: 20, c: 10 }, { ours: 40, c: 20 }, { ours: 30, c: 10 }];
  assertEquals(ratiosOf(rounds, "c"), [
    { subject: "ours", nanoseconds: 30, median: 2, least: 2, most: 3 },
    { subject: "c", nanoseconds: 10, median: 1, least: 1, most: 1 },
  ]);
});
