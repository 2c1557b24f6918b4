import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  designStyle,
  knownDesigns,
  layerStyle,
  orderLayers,
  orderVerdicts,
  verdictStyle,
} from "../../../lib/plots/mod.ts";

type Triple = readonly [number, number, number];

/** Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB. */
const VISIONS: Readonly<Record<string, readonly Triple[]>> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [
    -0.003882,
    -0.048116,
    1.051998,
  ]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [
    -0.01182,
    0.04294,
    0.968881,
  ]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [
    0.004733,
    0.691367,
    0.3039,
  ]],
};

/** CIE 1976 difference; 2.3 is just noticeable side by side. */
const LEAST_DIFFERENCE = 15;

Deno.test("designStyle() gives each design a colour and label of its own", () => {
  assertEquals(knownDesigns(), [
    "classic2005",
    "linux3_19",
    "draft_b",
    "seed2014",
    "vma_pages_v1",
    "linux4_0",
    "linux6_1",
    "linux7_1",
  ]);
  const styles = knownDesigns().map(designStyle);
  assertEquals(new Set(styles.map((style) => style.colour)).size, styles.length);
  assertEquals(new Set(styles.map((style) => style.label)).size, styles.length);
  for (const { colour } of styles) assertMatch(colour, /^#[0-9a-f]{6}$/);
});

Deno.test("designStyle() colours stay apart for colour-blind readers, from the wrong-page colour too", () => {
  const colours = [
    ...knownDesigns().map((name) => designStyle(name).colour),
    verdictStyle("wrong-page").fill,
  ];
  for (const [vision, matrix] of Object.entries(VISIONS)) {
    const seen = colours.map((colour) => lab(matrix, colour));
    for (let i = 0; i < seen.length; i++) {
      for (let k = i + 1; k < seen.length; k++) {
        const difference = Math.hypot(...seen[i]!.map((value, axis) => value - seen[k]![axis]!));
        assertEquals(
          difference >= LEAST_DIFFERENCE,
          true,
          `${vision}: ${colours[i]} ${colours[k]} ${difference}`,
        );
      }
    }
  }
});

Deno.test("designStyle() makes a colour from an unknown name, the same each time", () => {
  assertEquals(designStyle("toy"), { label: "toy", colour: designStyle("toy").colour });
  assertMatch(designStyle("toy").colour, /^#[0-9a-f]{6}$/);
  assertNotEquals(designStyle("toy").colour, designStyle("toz").colour);
  for (const name of ["", "constructor", "__proto__", "toString"]) {
    assertEquals(designStyle(name).label, name);
  }
});

Deno.test("verdictStyle() has one symbol per verdict, and a question mark for unknown ones", () => {
  const known = orderVerdicts(["crash", "errno", "ok", "wrong-page", "no-page", "signal", "status"]);
  assertEquals(known, ["ok", "no-page", "wrong-page", "errno", "status", "signal", "crash"]);
  assertEquals(new Set(known.map((name) => verdictStyle(name).symbol)).size, known.length);
  assertEquals(verdictStyle("odd").symbol, "?");
  assertEquals(orderVerdicts(["zzz", "ok", "aaa", "ok"]), ["ok", "aaa", "zzz"]);
});

Deno.test("verdictStyle() inks are readable on their fills", () => {
  const names = [
    "ok",
    "no-page",
    "wrong-page",
    "stale-translation",
    "leaked-pin",
    "lost-update",
    "errno",
    "status",
  ];
  for (const name of [...names, "signal", "crash", "odd"]) {
    const { fill, ink } = verdictStyle(name);
    const [a, b] = [luminance(fill), luminance(ink)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    assertEquals(contrast >= 3.8, true, `${name}: ${contrast}`);
  }
});

Deno.test("orderLayers() goes from the program down to the processor", () => {
  assertEquals(orderLayers(["hw", "xen", "toy", "user", "linux"]), ["user", "linux", "xen", "hw", "toy"]);
  assertEquals(layerStyle("toy").label, "toy");
  assertEquals(layerStyle("xen").label, "Xen");
});

function linear(colour: string): number[] {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
}

function luminance(colour: string): number {
  const [r, g, b] = linear(colour) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function lab(matrix: readonly Triple[], colour: string): number[] {
  const from = linear(colour);
  const [r, g, b] = matrix.map((row) =>
    Math.min(1, Math.max(0, row.reduce((sum, w, i) => sum + w * from[i]!, 0)))
  ) as [
    number,
    number,
    number,
  ];
  const f = (t: number) => t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
