import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../scripts/gate/project_files.ts";
import { runScript } from "../support/command.ts";

const EXPERIMENT = ["--allow-read", "--allow-write", "scripts/grantlab.ts", "experiment"];

Deno.test("experiment prints question, rows and a chart that says that prices are assumed", async () => {
  const { code, stdout, stderr } = await runScript([
    ...EXPERIMENT,
    "flush_batching",
    "--axis",
    "cpus=1,6,24",
  ]);
  assertEquals([code, stderr], [0, ""]);
  for (
    const part of ["What do batching flushes", "per_op", "flush per batch of 32", "peak", "assumed prices"]
  ) {
    assertStringIncludes(stdout, part);
  }
});

Deno.test("experiment --json prints rows and nothing else; --png writes the chart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const png = `${folder}/chart.png`;
    const args = ["nested_walk", "--axis", "levels=4", "--axis", "nestedPage=4K", "--json", "--png", png];
    const { code, stdout, stderr } = await runScript([...EXPERIMENT, ...args]);
    assertEquals([code, stderr], [0, `chart written to ${png}\n`]);
    const rows = JSON.parse(stdout) as Record<string, unknown>[];
    assertEquals(rows.map((row) => [row["tables"], row["page"], row["references"]]), [
      ["native", "4K", 4],
      ["native", "2M", 3],
      ["native", "1G", 2],
      ["ept", "4K", 24],
      ["ept", "2M", 19],
      ["ept", "1G", 14],
    ]);
    assertEquals([...(await Deno.readFile(png)).subarray(1, 4)], [...new TextEncoder().encode("PNG")]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("experiment prices with a user's own list, and says what it refuses, without a stack trace", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const list = JSON.parse(await Deno.readTextFile(new URL("lib/cost/assumed_cycles.json", ROOT)));
    for (const price of Object.values(list.prices) as { source: string }[]) {
      price.source = "measured: my host";
    }
    const file = `${folder}/mine.json`;
    await Deno.writeTextFile(file, JSON.stringify({ ...list, name: "mine", unit: "ns" }));
    const own = ["gup_paths", "--axis", "pages=1,8", "--axis", "design=linux6_1", "--prices", file];
    const { code, stdout } = await runScript([...EXPERIMENT, ...own]);
    assertEquals([code, stdout.includes("ns per page"), stdout.includes("assumed")], [0, true, false]);
    await Deno.writeTextFile(file, JSON.stringify({ ...list, unit: "hours" }));
    const table: [args: string[], says: string][] = [
      [own, 'Cannot find the price unit "hours"'],
      [["gup_pats"], 'Did you mean "gup_paths"'],
      [["gup_paths", "--axis", "page=1"], 'did you mean "pages"'],
      [["nested_walk", "--axis", "levels=4,4"], "a value is twice"],
      [["nested_walk", "--png", `${folder}/chart.gif`], "its name must end in one of"],
      [["nested_walk", "--prices", `${folder}/none.json`], "none.json"],
    ];
    for (const [args, says] of table) {
      const refused = await runScript([...EXPERIMENT, ...args]);
      assertEquals(refused.code, 2, refused.stderr);
      assertStringIncludes(refused.stderr, says);
      assertEquals(/^ +at /m.test(refused.stderr), false, refused.stderr);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("experiment without a name lists all of them", async () => {
  const { code, stdout } = await runScript(EXPERIMENT);
  assertEquals(code, 0);
  for (const name of ["gup_paths", "lazy_map", "split_cost"]) assertStringIncludes(stdout, `${name}\n  `);
  assertEquals(
    stdout.split("\nsplit_then_pin\n").length + (stdout.startsWith("split_then_pin\n") ? 1 : 0),
    2,
    "once",
  );
});
