import { assertEquals, assertThrows } from "@std/assert";
import { compareTallies, findUnreplayed, readTallies, type Tally } from "../../scripts/gate/golden.ts";
import { countCodeLines, readLcov, summarize } from "../../scripts/gate/lcov.ts";
import { judge, runPhase, type StepResult } from "../../scripts/gate/run_step.ts";
import { phases, type Step } from "../../scripts/gate/steps.ts";

const CHECK: Step = { name: "check", args: [] };
const TESTS: Step = { name: "tests", args: [], isTests: true };

Deno.test("judge() counts, and is green for nothing that did not run", () => {
  const cases: [step: Step, success: boolean, output: string, passed: number, failed: number][] = [
    [CHECK, true, "", 1, 0],
    [CHECK, false, "", 0, 1],
    [TESTS, true, "ok | 12 passed | 0 failed (3ms)", 12, 0],
    [TESTS, true, "ok | 12 passed (4 steps) | 0 failed | 2 ignored (3ms)", 12, 0],
    [TESTS, false, "FAILED | 10 passed | 2 failed (3ms)", 10, 2],
    // an error outside any test, a type error, no test at all
    [TESTS, false, "FAILED | 10 passed | 0 failed (3ms)", 10, 1],
    [TESTS, false, "error: Type checking failed.", 0, 1],
    [TESTS, true, "ok | 0 passed | 0 failed (0ms)", 0, 1],
    // what a test prints does not count, the last line does
    [TESTS, true, "99 passed | 9 failed\nok | 3 passed | 0 failed (3ms)", 3, 0],
  ];
  for (const [step, success, output, passed, failed] of cases) {
    assertEquals(judge(step, success, output), { passed, failed }, output);
  }
});

Deno.test("runPhase() answers in the order of the steps, two at a time", async () => {
  const steps: Step[] = ["a", "b", "c", "d"].map((name) => ({ name, args: [] }));
  let running = 0;
  let most = 0;
  const turns: Record<string, number> = { a: 9, b: 1, c: 3, d: 1 };
  const run = async (step: Step): Promise<StepResult> => {
    most = Math.max(most, ++running);
    for (let i = 0; i < turns[step.name]!; i++) await Promise.resolve();
    running--;
    return { step, passed: 1, failed: 0, seconds: 0, output: "" };
  };
  const names: string[] = [];
  for await (const result of runPhase(steps, 2, run)) names.push(result.step.name);
  assertEquals(names, ["a", "b", "c", "d"]);
  assertEquals(most, 2);
});

Deno.test("phases() leaves no step of the gate out", () => {
  const names = (fastOnly: boolean) => phases(fastOnly).map((steps) => steps.map((s) => s.name));
  const fast = [
    "format",
    "lint",
    "types",
    "layers",
    "citations",
    "events",
    "docs",
    "words",
    "notebook index",
  ];
  const slow = ["unit tests", "doc tests", "command tests", "conformance", "notebooks", "seed"];
  assertEquals(names(true), [["packages"], fast]);
  assertEquals(names(false), [["packages"], fast, slow, ["coverage"]]);
});

Deno.test("phases() gives every step the rights that it needs and no more", () => {
  const steps = phases(false).flat();
  assertEquals(new Set(steps.map((s) => s.name)).size, steps.length);
  const writesAndTalks = ["command tests", "notebooks"];
  const more = (name: string) =>
    writesAndTalks.includes(name) ? ["--allow-write", "--allow-net=127.0.0.1"] : [];
  for (const { name, args } of steps) {
    const rights = args.filter((arg) => arg.startsWith("--allow-") || arg === "-A" || arg === "--allow-all");
    assertEquals(rights.filter((r) => !/^--allow-(read|run)\b/.test(r)), more(name), name);
  }
  assertEquals(phases(true).flat().some((s) => s.isTests), false);
});

const LCOV = [
  "SF:/p/lib/a.ts\nDA:1,1\nDA:2,0\nLH:1\nLF:2\nend_of_record",
  "SF:/p/scripts/b.ts\nLH:0\nLF:9\nend_of_record",
  "SF:/q/lib/c.ts\nLH:0\nLF:9\nend_of_record",
].join("\n");

Deno.test("readLcov() reads the files below the root", () => {
  assertEquals(readLcov(LCOV, "/p/"), [
    { file: "lib/a.ts", lines: 2, hit: 1 },
    { file: "scripts/b.ts", lines: 9, hit: 0 },
  ]);
});

Deno.test("summarize() counts a file that no test loads as not covered", () => {
  const covered = [{ file: "lib/a.ts", lines: 2, hit: 2 }];
  const a = { file: "lib/a.ts", text: "" };
  assertEquals(summarize(covered, [a]).percent, 100);
  const b = { file: "lib/b.ts", text: "/** Doc. */\nexport function f() {\n  return 1;\n}\n" };
  assertEquals(summarize(covered, [a, b]).percent, 50);
  const types = { file: "lib/t.ts", text: "/** Doc. */\nexport interface T {\n  a: number;\n}\n" };
  assertEquals(summarize(covered, [a, types]).percent, 100);
});

Deno.test("countCodeLines() leaves comments, imports and brackets out", () => {
  assertEquals(countCodeLines("// x\nimport { a } from 'b';\n\nconst x = {\n  y: 1,\n};\n"), 2);
  assertEquals(countCodeLines("export type A = number;\nexport interface B {\n  c: A;\n}\n"), 0);
});

const TALLY: Tally = { passed: 5, failed: 1, advisory: 2 };

Deno.test("readTallies() reads one line per path and checks the total", () => {
  const output = "a.jsonl: 5 passed, 1 failed, 2 advisory\nb.csv.gz  3 passed, 0 failed, 0 advisory\n";
  const total = "TOTAL: 8 passed, 1 failed, 2 advisory\n";
  const tallies = readTallies(output + total, ["a.jsonl", "b.csv.gz"]);
  assertEquals([...tallies], [["a.jsonl", TALLY], ["b.csv.gz", { passed: 3, failed: 0, advisory: 0 }]]);
  assertThrows(() => readTallies(output, ["a.jsonl"]), SyntaxError, "its last line is");
  assertThrows(() => readTallies(output + total, ["c.csv"]), SyntaxError, "no line names c.csv");
  assertThrows(() => readTallies(output + total, ["a.jsonl"]), SyntaxError, "do not add up");
});

Deno.test("compareTallies() fails a count that falls and asks to write down one that rises", () => {
  const cases: [got: Tally, reason: RegExp | null][] = [
    [TALLY, null],
    [{ passed: 4, failed: 2, advisory: 2 }, /^4 passed, 2 failed, 2 advisory, expected 5 passed/],
    [{ passed: 4, failed: 1, advisory: 3 }, /advisory$/],
    [{ passed: 5, failed: 2, advisory: 2 }, /advisory$/],
    [{ passed: 6, failed: 0, advisory: 2 }, /better; write it down/],
  ];
  for (const [got, reason] of cases) {
    const findings = compareTallies({ "a.jsonl": TALLY }, new Map([["a.jsonl", got]]));
    assertEquals(findings.length, reason === null ? 0 : 1);
    if (reason !== null) assertEquals(reason.test(findings[0]!.reason), true, findings[0]!.reason);
  }
});

Deno.test("findUnreplayed() finds golden files that nothing names", () => {
  const expected = { "a.jsonl": TALLY, "pages/one": TALLY };
  assertEquals(findUnreplayed(expected, ["a.jsonl", "pages/one/mem.bin"]), []);
  assertEquals(findUnreplayed(expected, ["b.jsonl", "pages/one_more"]).length, 2);
});
