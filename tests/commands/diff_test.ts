import { assertEquals, assertStringIncludes } from "@std/assert";
import { runScript } from "../support/command.ts";

const DIFF = ["--allow-read=tests/golden", "scripts/grantlab.ts", "diff"];
const SCRIPTED = "tests/golden/vma-scripted.jsonl.gz";

Deno.test("diff prints the rules that two releases do not share", async () => {
  const { code, stdout, stderr } = await runScript([...DIFF, "linux6_1", "linux7_2", SCRIPTED]);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout.split("\n")[0]!, "linux6_1 -> linux7_2: 4 rules change");
  assertStringIncludes(stdout, "munlock 0 8");
});

Deno.test("diff prints a page", async () => {
  const { code, stdout } = await runScript([...DIFF, "--html", "linux6_1", "linux7_2", SCRIPTED]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "<!doctype html>");
  assertStringIncludes(stdout, "</table>");
});

Deno.test("diff refuses unknown releases and unreadable paths with one line", async () => {
  const table: [args: string[], message: string][] = [
    [["linux6_1", "linux7_3"], "linux7_2"],
    [["linux6_1", "linux7_2", "tests/golden/missing.jsonl"], "there is no such file or folder"],
  ];
  for (const [args, message] of table) {
    const { code, stdout, stderr } = await runScript([...DIFF, ...args]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.includes("    at "), false);
  }
});
