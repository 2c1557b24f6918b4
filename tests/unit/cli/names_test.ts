import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { VERSION } from "../../../lib/core/version.ts";
import { baseNameOf, folderOf } from "../../../lib/cli/paths.ts";
import { namedBy } from "../../../lib/cli/subcommands.ts";
import { Progress } from "../../../lib/cli/progress.ts";

Deno.test("namedBy() finds names of one and of two words, the longer first", () => {
  const table = { "run": 1, "kernel install": 1, "kernel": 1 };
  const rows: [string[], string | undefined, string[]][] = [
    [["run", "a"], "run", ["a"]],
    [["kernel", "install", "x"], "kernel install", ["x"]],
    [["kernel", "instal"], "kernel", ["instal"]],
    [["install"], undefined, []],
    [[], undefined, []],
    [["toString"], undefined, []],
  ];
  for (const [words, name, rest] of rows) {
    const found = namedBy(words, table);
    assertEquals([found?.name, found?.rest ?? []], [name, rest]);
  }
});

Deno.test("folderOf() is the folder a file is in", () => {
  assertEquals(["a", "d/a", "/a", "/d/e/a", "d\\a"].map(folderOf), [".", "d", "/", "/d/e", "d"]);
});

Deno.test("baseNameOf() takes the last part, and refuses what no file is called", () => {
  assertEquals(["a", "d/a.txt", "d\\b"].map(baseNameOf), ["a", "a.txt", "b"]);
  for (const path of ["", "d/", "..", "d/..", "."]) {
    assertThrows(() => baseNameOf(path), RangeError, "its last part is no name");
  }
});

Deno.test("Progress draws on a terminal, within its width, and nothing elsewhere", () => {
  const drawn: string[] = [];
  const on = (isTerminal: boolean, columns: number) => ({
    isTerminal,
    columns,
    write: (t: string) => void drawn.push(t),
  });
  const bar = new Progress(2, on(true, 40));
  bar.at(0, "a");
  bar.at(1, "a very long name of a file");
  bar.clear();
  assertEquals(drawn, [
    "\r\x1b[K[........................] 0/2 a",
    "\r\x1b[K[############............] 1/2 a very l",
    "\r\x1b[K",
  ]);
  drawn.length = 0;
  new Progress(2, on(false, 40)).at(1, "a");
  new Progress(2, on(false, 40)).clear();
  assertEquals(drawn, []);
});

Deno.test("VERSION is that of deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)));
  assertStrictEquals(VERSION, config.version);
});
