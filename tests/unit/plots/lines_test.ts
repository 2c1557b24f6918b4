import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type LineRow, lines } from "../../../lib/plots/lines.ts";

const ROWS: readonly LineRow[] = [
  { series: "map and unmap", x: 1, y: 150_000 },
  { series: "map and unmap", x: 10, y: 400_000 },
  { series: "kept", x: 1, y: 2_000_000 },
];
const WORDS = { title: "Title", subtitle: "assumed prices", xTitle: "guests", yTitle: "requests per second" };

Deno.test("lines() draws a bar per place and series", () => {
  assertEquals(lines(ROWS, WORDS).toText(60).split("\n"), [
    "Title",
    "assumed prices",
    "requests per second, by guests",
    "",
    "      1 map and unmap │██ 150 k",
    "        kept          │████████████████████████████ 2 M",
    "     10 map and unmap │██████ 400 k",
  ]);
  for (const width of [40, 80]) {
    const texts = lines(ROWS, WORDS).toText(width).split("\n");
    assertStrictEquals(texts.every((line) => [...line].length <= width), true);
  }
  assertStrictEquals(lines(ROWS, WORDS).toText(80, { colour: true }).includes("\x1b[38;5;"), true);
});

Deno.test("lines() draws a picture with both axes' words", async () => {
  const svg = await lines(ROWS, { ...WORDS, legend: "grants" }).toSvg();
  for (const text of ["Title", "assumed prices", "guests", "requests per second", "map and unmap"]) {
    assertStrictEquals(svg.includes(text), true, text);
  }
});

Deno.test("lines() refuses what it cannot draw", () => {
  assertThrows(() => lines([], WORDS), RangeError, "there are no rows");
  assertThrows(() => lines([{ series: "a", x: NaN, y: 1 }], WORDS), RangeError, "place a point of a");
  assertThrows(() => lines([{ series: "a", x: 1, y: -1 }], WORDS), RangeError, "height");
});
