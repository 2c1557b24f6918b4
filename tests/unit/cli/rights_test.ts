import { assertEquals } from "@std/assert";
import { flagsOf, type Rights } from "../../../lib/cli/rights.ts";
import { scriptCommand } from "../../../lib/cli/subcommands/run.ts";
import { rightsOfCells } from "../../../lib/cli/notebooks.ts";

Deno.test("flagsOf() grants what is listed and nothing else", () => {
  const rows: [Rights, string][] = [
    [{}, "--no-prompt"],
    [{ read: [] }, "--no-prompt"],
    [{ read: ["a"] }, "--no-prompt --allow-read=a"],
    [{ read: ["a,b", "c"] }, "--no-prompt --allow-read=a,,b,c"],
    [{ read: true, write: ["w"] }, "--no-prompt --allow-read --allow-write=w"],
    [
      { run: true, net: ["127.0.0.1"], env: ["HOME"] },
      "--no-prompt --allow-net=127.0.0.1 --allow-env=HOME --allow-run",
    ],
    [{ all: true, read: ["a"] }, "--allow-all"],
  ];
  for (const [rights, flags] of rows) assertEquals(flagsOf(rights).join(" "), flags);
});

Deno.test("scriptCommand() lets a script read the library and its own folder, and write what is named", () => {
  const project = new URL("file:///p/");
  const none: string[] = [];
  const wish = { read: none, write: none, all: false, file: "d/s.ts", args: ["x"] };
  const rows: [Partial<typeof wish>, string][] = [
    [{}, "--no-prompt --allow-read=/p,d --config /p/deno.json d/s.ts x"],
    [{ file: "s.ts", args: [] }, "--no-prompt --allow-read=/p,. --config /p/deno.json s.ts"],
    [{ write: ["o"] }, "--no-prompt --allow-read=/p,d --allow-write=o --config /p/deno.json d/s.ts x"],
    [{ read: ["r"] }, "--no-prompt --allow-read=/p,d,r --config /p/deno.json d/s.ts x"],
    [{ all: true }, "--allow-all --config /p/deno.json d/s.ts x"],
  ];
  for (const [change, command] of rows) {
    assertEquals(scriptCommand({ ...wish, ...change }, { project }).join(" "), command);
  }
});

Deno.test("rightsOfCells() lets cells write their notebook's folder only", () => {
  assertEquals(rightsOfCells("/n/a.ipynb", false), { read: true, write: ["/n"] });
  assertEquals(rightsOfCells("/n/a.ipynb", true), { all: true });
});
