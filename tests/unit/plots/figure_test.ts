import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { costByDesign, Figure, pngSize, renderPng, splitVerdict } from "../../../lib/plots/mod.ts";
import { row, SPLIT_ROWS } from "./rows.ts";

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COST_ROWS = [{
  design: "linux6_1",
  layer: "xen",
  amount: 900,
  unit: "instructions",
  source: "assumed",
}];

Deno.test("Figure.toPng() is a PNG file of the figure's size times the scale", async () => {
  for (const figure of [splitVerdict(SPLIT_ROWS), costByDesign(COST_ROWS)]) {
    const png = await figure.toPng();
    assertEquals([...png.subarray(0, 8)], PNG_SIGNATURE);
    assertEquals(pngSize(png), figure.size);
    assertEquals(figure.size.width, 600);
    const twice = pngSize(await figure.toPng(2));
    assertEquals(twice, { width: 2 * figure.size.width, height: 2 * figure.size.height });
  }
});

Deno.test("Figure.toPng() and Figure.toSvg() give the same bytes for the same rows", async () => {
  const other = splitVerdict([row("toy", 0, "fast", "page", "page", "ok")]);
  const svg = await splitVerdict(SPLIT_ROWS).toSvg();
  const png = await splitVerdict(SPLIT_ROWS).toPng();
  await other.toPng();
  // Drawn at the same time, too: nothing of one picture may leak into another.
  const [again, , pngAgain] = await Promise.all([
    splitVerdict(SPLIT_ROWS).toSvg(),
    other.toSvg(),
    splitVerdict(SPLIT_ROWS).toPng(),
  ]);
  assertEquals(again, svg);
  assertEquals(pngAgain, png);
});

Deno.test("Figure.toSvg() shows labels, counts and legend, cut nowhere", async () => {
  const svg = await splitVerdict(SPLIT_ROWS).toSvg();
  for (
    const text of [
      "Linux 6.1",
      "seed 2014",
      "all right",
      "2 wrong pages",
      "✗ wrong page",
      "∅ EFAULT (unmapped)",
    ]
  ) {
    assertEquals(svg.includes(`>${text}</text>`), true, text);
  }
  assertEquals(svg.includes("…"), false);
  assertEquals(svg.includes('font-family="DejaVu Sans'), true);
});

Deno.test("renderPng() refuses a scale it cannot draw", async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"></svg>';
  for (const scale of [0, -1, 0.05, 8.1, NaN, Infinity]) {
    await assertRejects(() => renderPng(svg, scale), RangeError, "Cannot draw a picture at scale");
  }
  assertEquals(pngSize(await renderPng(svg, 8)), { width: 160, height: 80 });
  assertEquals(pngSize(await renderPng(svg, 0.1)), { width: 2, height: 1 });
});

Deno.test("pngSize() refuses what is not a PNG file", () => {
  for (const bytes of [new Uint8Array(), new Uint8Array(24), new TextEncoder().encode("<svg>".repeat(10))]) {
    assertThrows(() => pngSize(bytes), TypeError, "it does not begin as a PNG file");
  }
});

Deno.test("Figure.bundle() holds the three media types and the size at which to show the PNG", async () => {
  const figure = splitVerdict(SPLIT_ROWS);
  const { data, metadata } = await figure.bundle();
  assertEquals(Object.keys(data), ["image/png", "application/vnd.vegalite.v5+json", "text/plain"]);
  assertEquals(data["text/plain"], figure.toText());
  assertEquals(data["application/vnd.vegalite.v5+json"], figure.spec);
  assertEquals(Uint8Array.fromBase64(data["image/png"]), await figure.toPng(2));
  assertEquals(metadata, { "image/png": figure.size });
});

Deno.test("Figure shows itself in a terminal and in a notebook", async () => {
  const figure = costByDesign(COST_ROWS);
  assertEquals(Deno.inspect(figure), figure.toText());
  assertEquals(Deno.inspect(figure, { colors: true }), figure.toText(80, { colour: true }));
  const display =
    (figure as unknown as Record<symbol, () => Promise<unknown>>)[Symbol.for("Jupyter.display")]!;
  assertEquals(await display.call(figure), (await figure.bundle(1)).data);
});

Deno.test("Figure.toVegaLite() is a copy that is plain JSON", () => {
  const figure = splitVerdict(SPLIT_ROWS);
  const copy = figure.toVegaLite() as unknown as { data: { values: unknown[] } };
  assertEquals(JSON.parse(JSON.stringify(copy)), copy);
  copy.data.values.length = 0;
  assertEquals(
    (figure.spec as unknown as { data: { values: unknown[] } }).data.values.length,
    SPLIT_ROWS.length,
  );
});

Deno.test("Figure refuses to be made of no rows or drawn too narrow", () => {
  const parts = {
    title: "Empty",
    rows: [],
    spec: splitVerdict(SPLIT_ROWS).spec,
    size: { width: 1, height: 1 },
  };
  assertThrows(
    () => new Figure({ ...parts, text: () => "" }),
    RangeError,
    'Cannot draw "Empty": there are no rows',
  );
  const figure = splitVerdict(SPLIT_ROWS);
  for (const width of [39, 40.5, NaN, Infinity]) {
    assertThrows(() => figure.toText(width), RangeError, "it must be a whole number of at least 40");
  }
  assertEquals(figure.toText(40).length > 0, true);
});
