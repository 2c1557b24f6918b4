import { assertEquals, assertThrows } from "@std/assert";
import { costByDesign, type CostRow } from "../../../lib/plots/mod.ts";

const ROWS: readonly CostRow[] = [
  { design: "linux3_19", layer: "xen", amount: 3000, unit: "instructions", source: "measured 2026-01" },
  { design: "linux3_19", layer: "linux", amount: 1000, unit: "instructions", source: "assumed" },
  { design: "linux6_1", layer: "linux", amount: 500, unit: "instructions", source: "assumed" },
  { design: "linux6_1", layer: "linux", amount: 500, unit: "instructions", source: "cited" },
  { design: "linux6_1", layer: "xen", amount: 1000, unit: "instructions", source: "measured 2026-01" },
];

Deno.test("costByDesign() draws bars as long as their totals", () => {
  assertEquals(
    costByDesign(ROWS, { per: "8 pages" }).toText(60),
    `\
What a design costs, and who pays
instructions for 8 pages (some prices assumed)

■ Linux 3.19 │▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ 4,000
■ Linux 6.1  │▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓ 2,000

▒ Linux   ▓ Xen`,
  );
});

Deno.test("costByDesign() says what kind of price it shows, in text and picture", () => {
  const priced = (...sources: string[]) =>
    sources.map((source, i) => ({ design: "toy", layer: `l${i}`, amount: 1, unit: "instructions", source }));
  const cases: readonly (readonly [readonly CostRow[], string])[] = [
    [priced("measured", "Measured on a Xeon"), "instructions for one run"],
    [priced("measured", "cited"), "instructions for one run (some prices assumed)"],
    [priced("assumed"), "instructions for one run (assumed prices)"],
    [priced(""), "instructions for one run (assumed prices)"],
    [priced("not measured"), "instructions for one run (assumed prices)"],
  ];
  for (const [rows, title] of cases) {
    const figure = costByDesign(rows);
    assertEquals(figure.toText().split("\n")[1], title);
    const spec = figure.spec as unknown as { layer: { encoding: { x: { title: string } } }[] };
    assertEquals(spec.layer[0]!.encoding.x.title, title);
  }
});

Deno.test("costByDesign() draws costs of zero, coloured or not, within the width", () => {
  const rows = [{ design: "toy", layer: "xen", amount: 0, unit: "instructions", source: "assumed" }];
  assertEquals(costByDesign(rows).toText().includes("■ toy │ 0\n"), true);
  assertEquals(costByDesign(ROWS).toText(80, { colour: true }).includes("\x1b[38;5;"), true);
  for (const width of [40, 80, 133]) {
    for (const line of costByDesign(ROWS).toText(width).split("\n")) {
      assertEquals([...line].length <= width, true);
    }
  }
});

Deno.test("costByDesign() refuses rows it cannot draw", () => {
  const good = ROWS[0]!;
  const cases: readonly (readonly [readonly CostRow[], string])[] = [
    [[], "Cannot draw a chart of costs: there are no rows"],
    [
      [{ ...good, amount: -1, unit: "instructions" }],
      "Cannot draw xen instructions of linux3_19 -1: it must be a finite number from 0",
    ],
    [
      [good, { ...good, unit: "cycles" }],
      'Cannot draw instructions together with "cycles": a chart has one unit',
    ],
    [[{ ...good, amount: NaN, unit: "instructions" }], "it must be a finite number from 0"],
    [[{ ...good, amount: Infinity, unit: "instructions" }], "it must be a finite number from 0"],
  ];
  for (const [rows, message] of cases) assertThrows(() => costByDesign(rows), RangeError, message);
});
