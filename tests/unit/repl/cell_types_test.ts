import { assert, assertEquals } from "@std/assert";
import { KernelClient } from "../../../lib/jupyter/kernel_client.ts";
import { CellTypes, globalNames } from "../../../lib/repl/cell_types.ts";
import { LanguageServer } from "../../../lib/repl/language_server.ts";
import { warningsOf } from "../../../lib/repl/type_warnings.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("CellTypes checks cell after cell, names declared again included", async () => {
  const server = await LanguageServer.start(ROOT.href, `${ROOT.href}session_test.ts`);
  try {
    const head = globalNames(`${ROOT.href}mod.ts`, ["world", "PAGE", "show"]);
    const types = new CellTypes(server, head);
    await types.warm();
    const rows: [cell: string, complaints: string[]][] = [
      ['const w = world();\nconst q = w.process("q");', []],
      ["q.nope;\nconst y: string = PAGE;", [
        "0:2 TS2339 Property 'nope' does not exist on type 'Process'.",
        "1:6 TS2322 Type 'number' is not assignable to type 'string'.",
      ]],
      // What was declared with an error is there all the same.
      ["y.length; y.nope", ["0:12 TS2339 Property 'nope' does not exist on type 'string'."]],
      // Again, with another type; shorthand properties of the older cell keep their names.
      ["const kept = { PAGE, w };", []],
      ["const w = 1; w + 1; kept.w.guest; kept.x", [
        "0:39 TS2339 Property 'x' does not exist on type '{ PAGE: number; w: World; }'.",
      ]],
      ["function f() { return 1; }", []],
      ["function f(a: string) { return a; }\nf(1)", [
        "1:2 TS2345 Argument of type 'number' is not assignable to parameter of type 'string'.",
      ]],
      // Imports: of what is there already, twice, and over a declaration of a cell.
      ['import { world } from "grantlab"; const v = world();', []],
      ['import { PAGE, world } from "grantlab"; v.guest.grant(PAGE); world();', []],
      ['const { a, b } = { a: 1, b: "" };', []],
      ["const [b] = [2];\nb.toFixed(); a.toFixed(); b.length", [
        "1:28 TS2339 Property 'length' does not exist on type 'number'.",
      ]],
      ["await show(b)", []],
      // Cells that fail by themselves leave nothing.
      ["const broken = (", []],
      ["let twice = 1; let twice = 2;", []],
      ["twice", ["0:0 TS2304 Cannot find name 'twice'."]],
      ["nope()", ["0:0 TS2304 Cannot find name 'nope'."]],
    ];
    for (const [cell, complaints] of rows) {
      const found = await types.check(cell);
      assertEquals(
        found.map(({ line, column, code, message }) => `${line}:${column} TS${code} ${message}`),
        complaints,
        cell,
      );
    }
  } finally {
    await server.close();
  }
});

Deno.test("warningsOf() escapes what it shows as HTML", () => {
  const { data } = warningsOf([{ line: 0, column: 4, code: 1, message: "'a<b>' & c" }]);
  assertEquals(
    data["text/plain"],
    "types do not fit; the cell runs all the same\n  line 1, column 5: 'a<b>' & c (TS1)",
  );
  assert(String(data["text/html"]).includes("&#39;a&lt;b&gt;&#39; &amp; c"), String(data["text/html"]));
});

Deno.test("a kernel shows type errors beside the output, within a second, and runs the cell", async () => {
  const kernel = await KernelClient.start({
    argv: [
      Deno.execPath(),
      "run",
      "--no-check",
      "-A",
      decodeURIComponent(new URL("scripts/kernel.ts", ROOT).pathname),
      "{connection_file}",
      "--types",
    ],
  });
  try {
    // The server starts with the kernel; this one cell may be too early for it.
    await kernel.execute("const w = world()");
    for (let tries = 0; tries < 60; tries++) {
      if ((await kernel.execute("w.nothing")).outputs.length > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    // A busy machine may take more than the second that a cell waits; then the next try finds it.
    let texts: string[] = [];
    for (let tries = 0; tries < 20 && texts.length < 3; tries++) {
      const start = performance.now();
      const { status, outputs } = await kernel.execute("console.log(1);\nconst n: string = 1;\nw.nope; 42");
      assertEquals([status, performance.now() - start < 5000], ["ok", true]);
      texts = outputs.map((output) => {
        if (output.output_type === "stream") return String(output.text).trim();
        return output.output_type === "error" ? output.evalue : [output.data["text/plain"]].flat().join("");
      });
    }
    assertEquals(texts, [
      "1",
      "types do not fit; the cell runs all the same\n" +
      "  line 2, column 7: Type 'number' is not assignable to type 'string'. (TS2322)\n" +
      "  line 3, column 3: Property 'nope' does not exist on type 'World'. (TS2339)",
      "42",
    ]);
    const failing = await kernel.execute("const m: string = 1; throw new RangeError('own')");
    assertEquals(failing.status, "error");
    const clean = await kernel.execute("w.guest.grant(1);");
    assertEquals(clean.outputs.filter(({ output_type }) => output_type === "display_data"), []);
  } finally {
    await kernel.close();
  }
});
