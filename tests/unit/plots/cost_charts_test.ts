import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { addressSpace } from "../../../lib/plots/address_space.ts";
import { beforeAfter } from "../../../lib/plots/before_after.ts";
import { costAgainst } from "../../../lib/plots/cost_against.ts";
import { costByLayer } from "../../../lib/plots/cost_by_layer.ts";
import type { Figure } from "../../../lib/plots/figure.ts";
import { flameGraph } from "../../../lib/plots/flame_graph.ts";
import { linesWithBands } from "../../../lib/plots/lines_with_bands.ts";
import { peakAndFall } from "../../../lib/plots/peak_and_fall.ts";
import { seriesStyle, seriesStyles } from "../../../lib/plots/series_style.ts";
import { shootdownTimeline } from "../../../lib/plots/shootdown_timeline.ts";

const ASSUMED = { unit: "cycles", source: "assumed: a list" };
const MEASURED = { unit: "cycles", source: "measured: a host" };

const cost = (series: string, x: number, amount: number) => ({
  series,
  x,
  amount,
  low: amount / 2,
  high: 2 * amount,
  ...ASSUMED,
});
const COSTS = [cost("fast", 1, 60), cost("fast", 8, 50), cost("slow", 1, 400), cost("slow", 8, 350)];
const at = (series: string, cpus: number, throughput: number, assumed = true) => ({
  series,
  cpus,
  throughput,
  unit: "operations per million cycles",
  assumed,
});
const PEAKS = [
  at("map", 1, 50),
  at("map", 4, 180),
  at("map", 24, 60),
  at("copy", 1, 70),
  at("copy", 24, 1700),
];
const layer = (group: string, bar: string, name: string, amount: number) => ({
  group,
  bar,
  layer: name,
  amount,
  low: amount / 2,
  high: 2 * amount,
  ...ASSUMED,
});
const LAYERS = [
  layer("map", "pv", "xen", 900),
  layer("map", "pv", "linux", 100),
  layer("map", "pvh", "xen", 500),
];
const span = (name: string, on: string, depth: number, from: number, to: number) => ({
  name,
  layer: on,
  depth,
  from,
  to,
  ...ASSUMED,
});
const SPANS = [span("munmap", "linux", 0, 0, 1000), span("grant_table_op", "xen", 1, 200, 900)];
const CHANGES = [
  { what: "map", before: 100, after: 50, ...ASSUMED },
  { what: "io", before: 10, after: 14, ...ASSUMED },
];
const LANES = [
  { cpu: 0, what: "sends", from: 0, to: 300, ...ASSUMED },
  { cpu: 0, what: "waits", from: 300, to: 600, ...ASSUMED },
  { cpu: 1, what: "stale", from: 0, to: 450, ...ASSUMED },
] as const;
const strip = (when: string, letters: string) =>
  [...letters].map((vma, page) => ({
    when,
    page,
    vma: vma === "." ? "" : vma,
    frame: vma === "." ? "" : `0x${page}`,
  }));
const STRIPS = [...strip("before", "AAAA"), ...strip("after", "AA.B")];

/** Every chart, with what its picture must say. */
const CHARTS: readonly (readonly [name: string, figure: Figure, says: readonly string[]])[] = [
  ["costAgainst", costAgainst(COSTS, { xTitle: "pages", per: "page", xLog: true }), [
    "cycles per page (assumed prices)",
    "fast path",
    "slow path",
    "pages",
  ]],
  ["peakAndFall", peakAndFall(PEAKS), [
    "peak: 180 at 4",
    "operations per million cycles (assumed prices)",
    "CPUs",
  ]],
  ["costByLayer", costByLayer(LAYERS), [
    "map · PV",
    "map · PVH",
    "cycles (assumed prices), line: range",
    "1,000",
  ]],
  ["flameGraph", flameGraph(SPANS), ["munmap", "grant_table_op", "cycles (assumed prices)", "Xen"]],
  ["beforeAfter", beforeAfter(CHANGES, { before: "linux3_19", after: "linux6_1" }), [
    "Linux 3.19 against Linux 6.1",
    "−50 %",
    "+40 %",
    "assumed prices",
  ]],
  ["shootdownTimeline", shootdownTimeline(LANES), ["CPU 0", "CPU 1", "stale", "assumed prices"]],
  ["addressSpace", addressSpace(STRIPS), ["before", "after", "hole", "0x3"]],
  [
    "linesWithBands of one line",
    linesWithBands([{ series: "a", x: "4K", amount: 24 }], { yTitle: "references" }),
    [
      "references",
      "4K",
    ],
  ],
];

for (const [name, figure, says] of CHARTS) {
  Deno.test(`${name}: picture and text say what it is, text keeps its width, rows are its CSV`, async () => {
    const svg = await figure.toSvg();
    for (const text of says) assertStrictEquals(svg.includes(text), true, `${text} in ${name}`);
    assertStrictEquals(svg.includes("NaN"), false);
    for (const width of [40, 64, 100]) {
      const lines = figure.toText(width).split("\n");
      for (const line of lines) assertStrictEquals([...line].length <= width, true, `${width}: ${line}`);
    }
    const coloured = figure.toText(100, { colour: true });
    // deno-lint-ignore no-control-regex
    assertEquals(coloured.replaceAll(/\x1b\[[0-9;]*m/g, ""), figure.toText(100));
    assertStrictEquals(figure.toCsv().split("\n").length, figure.rows.length + 2);
  });
}

Deno.test("peakAndFall() as text: a bar per place and line, ranges behind, the peak named", () => {
  assertEquals(peakAndFall(PEAKS).toText(60).split("\n"), [
    "Throughput by CPUs",
    "operations per million cycles (assumed prices), by CPUs",
    "",
    " 1 map and unmap │█ 50",
    "   grant copy    │█ 70",
    " 4 map and unmap │███ 180 peak",
    "24 map and unmap │█ 60",
    "   grant copy    │█████████████████████████████████ 1,700",
  ]);
});

Deno.test("flameGraph(), shootdownTimeline() and addressSpace() as text", () => {
  assertEquals(flameGraph(SPANS).toText(60).split("\n").slice(3), [
    "munmap           │▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒│ 1,000, 100 %",
    "  grant_table_op │     ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓  │ 700, 70 %",
  ]);
  assertEquals(shootdownTimeline(LANES).toText(47).split("\n").slice(3), [
    "CPU 0 │▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓····················",
    "CPU 1 │≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈",
    "      └ 0 … 600",
    "",
    "▓ sends   · waits   ≈ stale",
  ]);
  assertEquals(addressSpace(STRIPS).toText(60).split("\n").slice(2), [
    "before  AAAA",
    "after   AA.B",
    "",
    "before 0:0x0 1:0x1 2:0x2 3:0x3",
    "after 0:0x0 1:0x1 3:0x3",
  ]);
});

Deno.test("charts of costs say assumed where a price is, and only there", () => {
  const measured = { ...COSTS[0]!, ...MEASURED };
  assertStrictEquals(costAgainst([measured], { xTitle: "pages" }).toText().includes("assumed"), false);
  const both = costAgainst([measured, COSTS[1]!], { xTitle: "pages" }).toText();
  assertStrictEquals(both.includes("(some prices assumed)"), true);
  assertStrictEquals(peakAndFall([at("map", 1, 5, false)]).toText().includes("assumed"), false);
  assertStrictEquals(
    beforeAfter([{ what: "hypercall", before: 1, after: 2, unit: "events" }], {
      before: "linux3_19",
      after: "linux4_0",
    }).toText().includes("assumed"),
    false,
  );
});

Deno.test("charts refuse rows that cannot be drawn", () => {
  const table: [draw: () => unknown, says: string][] = [
    [() => costAgainst([], { xTitle: "pages" }), "there are no rows"],
    [() => costAgainst([COSTS[0]!, COSTS[0]!], { xTitle: "pages" }), "it appears twice"],
    [() => costAgainst([{ ...COSTS[0]!, amount: -1 }], { xTitle: "pages" }), "fast at 1: -1"],
    [() => costAgainst([{ ...COSTS[0]!, low: 61 }], { xTitle: "pages" }), "inside its range"],
    [() => costByLayer([]), "there are no rows"],
    [() => costByLayer([LAYERS[0]!, { ...LAYERS[1]!, unit: "ns" }]), "a chart has one unit"],
    [() => costByLayer([{ ...LAYERS[0]!, amount: NaN }]), "NaN"],
    [() => flameGraph([span("a", "xen", 0, 5, 4)]), "it must end after its start, 5"],
    [() => flameGraph([span("a", "xen", -1, 0, 4)]), "at depth -1"],
    [() => shootdownTimeline([{ ...LANES[0], to: -1 }]), "Cannot draw CPU 0 up to -1"],
    [() => beforeAfter([{ ...CHANGES[0]!, after: Infinity }], { before: "a", after: "b" }), "Infinity"],
    [() => addressSpace([...STRIPS, STRIPS[0]!]), "it appears twice"],
    [() => addressSpace(strip("before", "A".repeat(257))), "256 is the most"],
  ];
  for (const [draw, says] of table) assertThrows(draw, RangeError, says);
});

Deno.test("seriesStyle(): designs keep their colour, other names are told apart", () => {
  assertEquals(seriesStyle("linux6_1").label, "Linux 6.1");
  assertEquals(seriesStyle("toy").label, "toy");
  const styles = seriesStyles(["fast", "1 %", "2 %", "slow", "3 %"]);
  assertEquals(styles.map(({ label }) => label), ["fast path", "1 %", "2 %", "slow path", "3 %"]);
  assertEquals(new Set(styles.map(({ colour }) => colour)).size, 5);
  for (
    const names of [["fast", "slow"], ["per_batch", "per_op", "if_accessed"], ["map", "copy", "persistent"]]
  ) {
    assertEquals(new Set(names.map((name) => seriesStyle(name).colour)).size, names.length);
  }
});

Deno.test("titles wider than the chart are broken into lines, and one place alone has a plain number", () => {
  const rows = [{ series: "map", x: 4096, amount: 2 }];
  const { title, layer } = linesWithBands(rows, { title: "which costs less? ".repeat(6).trim() })
    .toVegaLite() as unknown as { title: { text: string[] }; layer: { encoding: { x: { axis: object } } }[] };
  assertEquals(title.text.length, 2);
  assertEquals(title.text.join(" "), "which costs less? ".repeat(6).trim());
  assertEquals(layer[0]!.encoding.x.axis, { values: [4096], format: ",~f", labelOverlap: true, grid: false });
});
