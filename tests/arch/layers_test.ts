import { assertEquals, assertGreater } from "@std/assert";
import { findCycles, findForbidden, findStrays } from "../../scripts/check_layers.ts";
import { type Import, importGraph } from "../../scripts/gate/import_graph.ts";
import { filesBelow } from "../../scripts/gate/project_files.ts";
import { layerOf, LAYERS, type LayerTable, mayTouchOutside } from "../../scripts/layers.ts";

const FIXTURE = new URL("./fixture/", import.meta.url);

Deno.test("findForbidden() finds nothing in the tree as it is", async () => {
  const files = filesBelow("lib", [".ts"]);
  const { imports, broken } = await importGraph(files);
  assertGreater(imports.length, 50);
  assertEquals([...broken, ...findStrays(files), ...findForbidden(imports), ...findCycles(imports)], []);
});

Deno.test("findForbidden() catches lib/linux/mm importing Xen, and only by the rule of linux/mm", async () => {
  const { imports, broken } = await importGraph(["lib/linux/mm/intrudes.ts"], FIXTURE);
  assertEquals(broken, []);
  assertEquals(findForbidden(imports), [
    {
      file: "lib/linux/mm/intrudes.ts",
      reason: "imports lib/xen/status.ts: linux/mm may import core, trace, x86",
    },
    {
      file: "lib/linux/mm/intrudes.ts",
      reason: "imports lib/xen/mod.ts: linux/mm may import core, trace, x86",
    },
  ]);
  // Without the rule the same files pass: nothing else would have caught them.
  const lax: LayerTable = { ...LAYERS, "linux/mm": { mayImport: ["core", "trace", "x86", "xen"] } };
  assertEquals(findForbidden(imports, lax), []);
});

/** An import that is there at run time. */
function imported(from: string, to: string): Import {
  return { from, to, typeOnly: false };
}

Deno.test("findForbidden() holds each layer to its row", () => {
  const cases: [from: string, to: string, forbidden: boolean][] = [
    // control: what every row is meant to allow
    ["lib/x86/walk.ts", "lib/core/show.ts", false],
    ["lib/x86/walk.ts", "lib/x86/pte.ts", false],
    ["mod.ts", "lib/repl/session.ts", false],
    ["tests/unit/x86/a_test.ts", "npm:fast-check", false],
    // one rule broken per row, its neighbour beside it
    ["lib/core/show.ts", "lib/trace/trace.ts", true],
    ["lib/trace/trace.ts", "lib/x86/pte.ts", true],
    ["lib/xen/m2p.ts", "lib/linux/mm/vma.ts", true],
    ["lib/linux/mm/gup.ts", "lib/linux/xen/p2m.ts", true],
    ["lib/linux/mm/gup.ts", "lib/linux/kernel.ts", true],
    ["lib/linux/kernel.ts", "lib/linux/mm/gup.ts", false],
    ["lib/linux/xen/p2m.ts", "lib/xen/m2p.ts", false],
    ["lib/linux/xen/p2m.ts", "lib/drivers/gntdev/open.ts", true],
    ["lib/drivers/ring.ts", "lib/xen/abi.ts", false],
    ["lib/drivers/ring.ts", "lib/xen/status.ts", false],
    ["lib/drivers/ring.ts", "lib/xen/grant_table.ts", true],
    ["lib/cost/price.ts", "lib/trace/events.ts", false],
    ["lib/cost/price.ts", "lib/trace/trace.ts", true],
    ["lib/reference/oracle.ts", "lib/trace/trace.ts", true],
    ["lib/experiments/world.ts", "lib/plots/figure.ts", true],
    ["lib/plots/figure.ts", "lib/experiments/world.ts", true],
    ["lib/conform/vma.ts", "lib/repl/session.ts", true],
    ["lib/repl/session.ts", "lib/conform/vma.ts", false],
    ["lib/x86/walk.ts", "npm:vega", true],
    ["lib/x86/walk.ts", "node:fs", true],
    ["lib/plots/png.ts", "npm:vega", false],
    ["lib/x86/walk.ts", "mod.ts", true],
    ["lib/x86/walk.ts", "scripts/layers.ts", true],
    ["lib/x86/walk.ts", "lib/x86/mod.ts", true],
    ["lib/x86/walk.ts", "lib/core/mod.ts", false],
    ["lib/core/show.ts", "lib/std/text.ts", true],
    ["lib/repl/print.ts", "lib/std/text.ts", false],
  ];
  for (const [from, to, forbidden] of cases) {
    assertEquals(findForbidden([imported(from, to)]).length, forbidden ? 1 : 0, `${from} → ${to}`);
  }
});

Deno.test("findStrays() finds a folder of lib that has no rule", () => {
  assertEquals(findStrays(["lib/core/show.ts", "lib/helpers/show.ts", "lib/show.ts"]).map((f) => f.file), [
    "lib/helpers/show.ts",
    "lib/show.ts",
  ]);
});

Deno.test("findCycles() finds cycles of files and of layers, and no chain", () => {
  const reasons = (imports: readonly Import[], allowed: string[][] = []) =>
    findCycles(imports, LAYERS, allowed).map((f) => f.reason);
  const chain = [imported("lib/x86/a.ts", "lib/x86/b.ts"), imported("lib/x86/b.ts", "lib/core/c.ts")];
  assertEquals(reasons(chain), []);
  const cycle = [...chain, imported("lib/x86/b.ts", "lib/x86/a.ts")];
  assertEquals(reasons(cycle), ["import cycle: lib/x86/a.ts → lib/x86/b.ts → lib/x86/a.ts"]);
  assertEquals(reasons(cycle, [["lib/x86/a.ts", "lib/x86/b.ts"]]), []);
  assertEquals(reasons(chain, [["lib/x86/a.ts", "lib/x86/b.ts"]]), [
    "no cycle: lib/x86/a.ts → lib/x86/b.ts → lib/x86/a.ts",
  ]);
  // Types only: no cycle of files at run time, but of layers all the same.
  const own = { from: "lib/x86/b.ts", to: "lib/x86/a.ts", typeOnly: true };
  assertEquals(reasons([...chain, own]), []);
  const back = { from: "lib/core/d.ts", to: "lib/x86/a.ts", typeOnly: true };
  assertEquals(reasons([...chain, back]), ["layer cycle: core → x86 → core"]);
});

Deno.test("layerOf() takes the longest folder", () => {
  const cases: [string, string | undefined][] = [
    ["lib/linux/mm/gup_fast/generic.ts", "linux/mm"],
    ["lib/linux/xen/foreign/scheme.ts", "linux/xen"],
    ["lib/linux/flavours.ts", "linux"],
    ["lib/core/mod.ts", "core"],
    ["scripts/test.ts", undefined],
    ["mod.ts", undefined],
  ];
  for (const [path, layer] of cases) assertEquals(layerOf(path), layer, path);
});

Deno.test("mayTouchOutside() takes a whole layer or named files", () => {
  const table: LayerTable = {
    a: { mayImport: [], outside: ["png.ts"] },
    b: { mayImport: [], outside: true },
  };
  assertEquals(mayTouchOutside("lib/a/png.ts", table), true);
  assertEquals(mayTouchOutside("lib/a/figure.ts", table), false);
  assertEquals(mayTouchOutside("lib/b/figure.ts", table), true);
  assertEquals(mayTouchOutside("scripts/test.ts", table), true);
});
