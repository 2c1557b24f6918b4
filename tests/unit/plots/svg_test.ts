import { assertEquals, assertNotEquals } from "@std/assert";
import { VEGA_LITE_SCHEMA, type VegaLiteSpec } from "../../../lib/plots/mod.ts";
import { renderSvg } from "../../../lib/plots/svg.ts";

function clipped(nrBars: number): VegaLiteSpec {
  return {
    $schema: VEGA_LITE_SCHEMA,
    data: { values: Array.from({ length: nrBars }, (_, i) => ({ i })) },
    mark: { type: "bar", clip: true, color: { gradient: "linear", stops: [{ offset: 0, color: "#000" }] } },
    encoding: { x: { field: "i", type: "quantitative" } },
  };
}

Deno.test("renderSvg() numbers clip paths and gradients anew in every picture", async () => {
  const first = await renderSvg(clipped(2));
  await renderSvg(clipped(3));
  assertEquals(await renderSvg(clipped(2)), first);
  assertNotEquals(await renderSvg(clipped(3)), first);
  const defined = [...first.matchAll(/id="(\w+)"/g)].map((match) => match[1]);
  const used = new Set([...first.matchAll(/url\(#(\w+)\)/g)].map((match) => match[1]));
  assertEquals(defined.toSorted(), ["clip0", "gradient_1", "gradient_2"]); // one gradient per bar
  assertEquals([...used].toSorted(), defined.toSorted());
});

Deno.test("renderSvg() leaves the specification as it was", async () => {
  const spec = clipped(2);
  await renderSvg(spec);
  assertEquals(spec, clipped(2));
});
