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
    [{ write: ["w"], denyWrite: ["w/a,b"] }, "--no-prompt --allow-write=w --deny-write=w/a,,b"],
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

Deno.test("rightsOfCells() lets cells write their notebook's folder only, and nothing through links out of it", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir());
  try {
    const folder = `${root}/n`;
    await Deno.mkdir(`${folder}/sub/deep`, { recursive: true });
    await Deno.mkdir(`${folder}/plain`);
    await Deno.mkdir(`${root}/near`);
    const file = `${folder}/a.ipynb`;
    await Deno.writeTextFile(file, "");
    assertEquals(await rightsOfCells(file, false), { read: true, write: [folder], denyWrite: [] });
    await Deno.symlink(root, `${folder}/out`);
    await Deno.symlink("../near", `${folder}/near`);
    await Deno.symlink(`${root}/nothing`, `${folder}/dangling`);
    await Deno.symlink(root, `${folder}/sub/deep/out`);
    await Deno.symlink("plain", `${folder}/within`);
    const { denyWrite } = await rightsOfCells(file, false);
    assertEquals(denyWrite, ["dangling", "near", "out", "sub"].map((name) => `${folder}/${name}`));
    assertEquals(await rightsOfCells(file, true), { all: true });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
