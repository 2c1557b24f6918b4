import { assertEquals } from "@std/assert";
import { textWidth } from "../../../lib/plots/font_metrics.ts";

/** Advance widths in 1/2048 em, read from a TrueType file's `cmap` (format 4) and `hmtx` tables. */
function advancesOf(file: Uint8Array): (code: number) => number {
  const font = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const tables = new Map<string, number>();
  for (let i = 0; i < font.getUint16(4); i++) {
    const entry = 12 + 16 * i;
    tables.set(String.fromCharCode(...file.subarray(entry, entry + 4)), font.getUint32(entry + 8));
  }
  assertEquals(font.getUint16(tables.get("head")! + 18), 2048);
  const nrMetrics = font.getUint16(tables.get("hhea")! + 34);
  const cmap = tables.get("cmap")!;
  let format4 = 0;
  for (let i = 0; i < font.getUint16(cmap + 2); i++) {
    const table = cmap + font.getUint32(cmap + 4 + 8 * i + 4);
    if (font.getUint16(table) === 4) format4 = table;
  }
  const segments = font.getUint16(format4 + 6) / 2;
  return (code) => {
    let segment = 0;
    while (code > font.getUint16(format4 + 14 + 2 * segment)) segment++;
    const at = (column: number) => format4 + 16 + 2 * segments * column + 2 * segment;
    const start = font.getUint16(at(1));
    const delta = font.getUint16(at(2));
    const offset = font.getUint16(at(3));
    const listed = offset === 0 ? code : font.getUint16(at(3) + offset + 2 * (code - start));
    const glyph = (listed + delta) & 0xffff;
    assertEquals(code >= start && glyph !== 0, true, `U+${code.toString(16)} is in the font`);
    return font.getUint16(tables.get("hmtx")! + 4 * Math.min(glyph, nrMetrics - 1));
  };
}

Deno.test("textWidth() has the widths of the font files", async () => {
  const printable = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCodePoint(0x20 + i));
  for (const [file, bold] of [["DejaVuSans.ttf", false], ["DejaVuSans-Bold.ttf", true]] as const) {
    const url = import.meta.resolve(`dejavu-fonts-ttf/ttf/${file}`);
    const advance = advancesOf(new Uint8Array(await (await fetch(url)).arrayBuffer()));
    for (const character of [...printable, ..."…–—·×✓✗∅†→≈≤≥µ■−"]) {
      assertEquals(
        textWidth(character, 2048, bold),
        advance(character.codePointAt(0)!),
        `${file} ${character}`,
      );
    }
  }
});

Deno.test("textWidth() adds up, scales, and leaves room for characters it does not know", () => {
  assertEquals(textWidth("", 11), 0);
  assertEquals(textWidth("ab", 2048), textWidth("a", 2048) + textWidth("b", 2048));
  assertEquals(textWidth("a", 22), 2 * textWidth("a", 11));
  assertEquals(textWidth("漢", 10), 10);
});
