/**
 * Widths of the glyphs of DejaVu Sans 2.37, so that a chart is laid out the same everywhere, without a canvas and
 * without reading the font. Kerning is left out.
 *
 * The numbers are the advance widths of the font's own `hmtx` table; a test compares them with the font file.
 *
 * @module
 */

const UNITS_PER_EM = 2048;
const FIRST = 0x20;
/** Width of a character that is not listed: that of the widest common ones, so text is never cut. */
const UNKNOWN = 2048;

// U+0020 to U+007E, in 1/2048 em
// deno-fmt-ignore
const REGULAR: readonly number[] = [
  651, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690, 1303, 1303, 1303,
  1303, 1303, 1303, 1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716, 1087, 2048, 1401, 1405, 1430, 1577,
  1294, 1178, 1587, 1540, 604, 604, 1343, 1141, 1767, 1532, 1612, 1235, 1612, 1423, 1300, 1251, 1499, 1401,
  2025, 1403, 1251, 1403, 799, 690, 799, 1716, 1024, 1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298,
  569, 569, 1186, 569, 1995, 1298, 1253, 1300, 1300, 842, 1067, 803, 1298, 1212, 1675, 1212, 1212, 1075,
  1303, 690, 1303, 1716,
];

// deno-fmt-ignore
const BOLD: readonly number[] = [
  713, 934, 1067, 1716, 1425, 2052, 1786, 627, 936, 936, 1071, 1716, 778, 850, 778, 748, 1425, 1425, 1425,
  1425, 1425, 1425, 1425, 1425, 1425, 1425, 819, 819, 1716, 1716, 1716, 1188, 2048, 1585, 1561, 1503, 1700,
  1399, 1399, 1681, 1714, 762, 762, 1587, 1305, 2038, 1714, 1741, 1501, 1741, 1577, 1475, 1397, 1663, 1585,
  2259, 1579, 1483, 1485, 936, 748, 936, 1716, 1024, 1024, 1382, 1466, 1214, 1466, 1389, 891, 1466, 1458,
  702, 702, 1362, 702, 2134, 1458, 1407, 1466, 1466, 1010, 1219, 979, 1458, 1335, 1892, 1321, 1335, 1192,
  1458, 748, 1458, 1716,
];

// deno-fmt-ignore
const REGULAR_BEYOND: Readonly<Record<string, number>> =
  { "…": 2048, "–": 1024, "—": 2048, "·": 651, "×": 1716, "✓": 1716, "✗": 1716, "∅": 1784, "†": 1024, "→": 1716, "≈": 1716, "≤": 1716, "≥": 1716, "µ": 1303, "■": 1935, "−": 1716 };

// deno-fmt-ignore
const BOLD_BEYOND: Readonly<Record<string, number>> =
  { "…": 2048, "–": 1024, "—": 2048, "·": 778, "×": 1716, "✓": 1716, "✗": 1716, "∅": 1754, "†": 1024, "→": 1716, "≈": 1716, "≤": 1716, "≥": 1716, "µ": 1507, "■": 1935, "−": 1716 };

/** Width of `text` in pixels at a font size in pixels. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  const ascii = bold ? BOLD : REGULAR;
  const beyond = bold ? BOLD_BEYOND : REGULAR_BEYOND;
  let units = 0;
  for (const character of text) {
    units += ascii[character.codePointAt(0)! - FIRST] ?? beyond[character] ?? UNKNOWN;
  }
  return units * fontSize / UNITS_PER_EM;
}
