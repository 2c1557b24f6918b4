import { assertEquals, assertStrictEquals } from "@std/assert";
import { runScript } from "../support/command.ts";

const FOLDER = "tests/commands/fixture/conform";
const CONFORM = [`--allow-read=${FOLDER}`, "scripts/grantlab.ts", "conform"];

/** Runs conform on fixtures; paths in the answer are shortened. */
async function conform(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const { code, stdout, stderr } = await runScript([...CONFORM, ...args]);
  const lines = (text: string) => text.replaceAll(`${FOLDER}/`, "").split("\n").filter((line) => line !== "");
  return { code, out: lines(stdout), err: lines(stderr) };
}

const fixture = (name: string) => `${FOLDER}/${name}`;

Deno.test("conform prints a line a path and the total last, and exits by what it found", async () => {
  assertEquals(await conform(fixture("right.csv"), fixture("right_packed")), {
    code: 0,
    out: [
      "right.csv: 1 passed, 0 failed, 1 advisory (mmu-translate)",
      "right_packed: 1 passed, 0 failed, 0 advisory (mmu-translate)",
      "TOTAL: 2 passed, 0 failed, 1 advisory",
    ],
    err: [],
  });
});

Deno.test("conform shows the first differences", async () => {
  const { code, out, err } = await conform("--show", "1", fixture("wrong.csv"), fixture("right.csv"));
  assertEquals({ code, out, err }, {
    code: 1,
    out: [
      "wrong.csv: 1 passed, 5 failed, 0 advisory (mmu-translate)",
      "  t1: expected ok pa 20009, set AAAA, got ok pa 20008, set AAAA",
      "right.csv: 1 passed, 0 failed, 1 advisory (mmu-translate)",
      "TOTAL: 2 passed, 5 failed, 1 advisory",
    ],
    err: [],
  });
  assertStrictEquals((await conform(fixture("wrong.csv"))).out.length, 1 + 3 + 1);
  assertStrictEquals((await conform("--show", "0", fixture("wrong.csv"))).out.length, 1 + 0 + 1);
});

Deno.test("conform refuses what it cannot read with one line of error", async () => {
  const table: [name: string, error: string][] = [
    ["torn_row.csv", "error: torn_row.csv:3: the row has 3 columns, not 19"],
    ["bad_json.jsonl", "error: bad_json.jsonl:3: not JSON: "],
    ["torn.csv.gz", "error: torn.csv.gz:"],
    ["not_text.csv", "error: not_text.csv:1: at or after this line the file is not UTF-8 text"],
    ["empty.jsonl", "error: empty.jsonl: the file is empty"],
    ["unknown.txt", "error: unknown.txt: the content is of no known format"],
    ["missing.csv", "error: missing.csv: there is no such file or folder"],
    ["../conform", "error: ../conform: the folder is not a page-table image"],
  ];
  const { code, out, err } = await conform(...table.map(([name]) => fixture(name)), fixture("right.csv"));
  assertStrictEquals(code, 2);
  assertEquals(out, [
    "right.csv: 1 passed, 0 failed, 1 advisory (mmu-translate)",
    "TOTAL: 1 passed, 0 failed, 1 advisory",
  ]);
  assertStrictEquals(err.length, table.length, err.join("\n"));
  table.forEach(([, error], i) => assertStrictEquals(err[i]!.startsWith(error), true, err[i]));
});

Deno.test("conform refuses a wrong command line", async () => {
  const table: [args: string[], message: string][] = [
    [[], "There must be the PATH of a recording"],
    [["--show", "x", fixture("right.csv")], "`--show`"],
    [["--show", "-1", fixture("right.csv")], "`--show`"],
    [["--shwo", "1", fixture("right.csv")], "--shwo"],
  ];
  for (const [args, message] of table) {
    const { code, out, err } = await conform(...args);
    assertEquals([code, out], [2, []], args.join(" "));
    assertStrictEquals(err.some((line) => line.includes(message)), true, err.join("\n"));
    assertStrictEquals(err.some((line) => line.includes("    at ")), false, err.join("\n"));
  }
});

for (
  const [option, name, near] of [["--kernel", "linux6_2", "linux6_1"], [
    "--xen",
    "xen4_18",
    "xen4_17",
  ]] as const
) {
  Deno.test(`conform refuses an unknown flavour after ${option} and names near ones`, async () => {
    const { code, out, err } = await conform(option, name, fixture("right.csv"));
    assertEquals([code, out], [2, []]);
    const suggestion = err[0]!.split("did you mean ")[1] ?? "";
    assertEquals(err.length === 1 && suggestion.includes(`"${near}"`), true, err.join("\n"));
  });
}

Deno.test("conform takes the flavour from the folder, unless the command line names one", async () => {
  const data = "tests/golden/releases/linux5_10-xen4_14/vma-scripted.jsonl.gz";
  for (const [options, code] of [[[], 0], [["--kernel", "linux6_1"], 1]] as const) {
    const { code: got } = await runScript([
      "--allow-read=tests/golden",
      "scripts/grantlab.ts",
      "conform",
      ...options,
      data,
    ]);
    assertStrictEquals(got, code, options.join(" "));
  }
});
