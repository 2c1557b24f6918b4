import { assertEquals, assertStringIncludes } from "@std/assert";
import { runScript } from "../support/command.ts";

const seed = (...args: string[]) => runScript(["scripts/seed.ts", ...args]);

Deno.test("seed --json prints rows and nothing else, without any permission", async () => {
  const { code, stdout, stderr } = await seed("--json", "--pages", "4", "--design", "seed2014");
  assertEquals([code, stderr], [0, ""]);
  const rows = JSON.parse(stdout);
  assertEquals(
    rows.map((
      row: Record<string, unknown>,
    ) => [row.page, row.path, row.verdict, row.reached === row.expected]),
    [[0, "slow", "ok", true], [1, "slow", "ok", true], [2, "slow", "ok", true], [
      3,
      "slow",
      "wrong-page",
      false,
    ]],
  );
  assertEquals(Object.keys(rows[0]), ["design", "page", "path", "reached", "expected", "verdict", "events"]);
});

Deno.test("seed prints a table and charts that say that prices are assumed", async () => {
  const { code, stdout } = await seed("--pages", "4");
  assertEquals(code, 0);
  for (const part of ["draft_b", "crash in gup_pte_range", "all right", "assumed prices"]) {
    assertStringIncludes(stdout, part);
  }
});

const REFUSED: readonly { given: readonly string[]; says: string }[] = [
  { given: ["--design", "seed2041"], says: 'did you mean "seed2014"' },
  { given: ["--pages", "1"], says: "it must be a whole number from 2 to" },
  { given: ["--pages", "1000000000"], says: "it must be a whole number from 2 to" },
  { given: ["--pages", "8", "--cut", "8"], says: "Cannot unmap page 8" },
  { given: ["--pages", "many"], says: "--pages" },
  { given: ["--png", "chart.gif"], says: "its name must end in one of" },
];

for (const { given, says } of REFUSED) {
  Deno.test(`seed refuses ${given.join(" ")}`, async () => {
    const { code, stderr } = await seed(...given);
    assertEquals(code, 2);
    assertStringIncludes(stderr, says);
    assertEquals(/^\s+at /m.test(stderr), false, "no stack trace");
  });
}
