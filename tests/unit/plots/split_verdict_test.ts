import { assertEquals, assertThrows } from "@std/assert";
import { splitVerdict, type SplitVerdictRow } from "../../../lib/plots/mod.ts";
import { row, SPLIT_ROWS } from "./rows.ts";

Deno.test("splitVerdict() draws a grid of words where they fit", () => {
  assertEquals(
    splitVerdict(SPLIT_ROWS).toText(),
    `\
After the split: which page does direct I/O reach?
Direct I/O on pages 0–3 of one mapping of grants; page 1 unmapped before

       page │ 0     1     2     3
────────────┼─────────────────────────┤
■ Linux 6.1 │ ✓fast ∅slow ✓fast ✓fast │ all right
■ seed 2014 │ ✓slow ∅slow ✗slow ✗slow │ 2 wrong pages

✓ right page   ∅ EFAULT (unmapped)   ✗ wrong page`,
  );
});

Deno.test("splitVerdict() falls back to letters and blocks in a narrow terminal", () => {
  const rows = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((page) => row("toy", page, "fast", "page", "page", "ok"));
  assertEquals(
    splitVerdict(rows, { title: "T", subtitle: "S" }).toText(46),
    `\
T
S

 page │ 0  1  2  3  4  5  6  7  8
──────┼────────────────────────────┤
■ toy │ ✓f ✓f ✓f ✓f ✓f ✓f ✓f ✓f ✓f │ all right

✓ right page
f = fast path`,
  );
  assertEquals(
    splitVerdict(rows, { title: "T", subtitle: "S" }).toText(44),
    `\
T
S

 page │ 0  1  2  3  4  5  6  7
──────┼─────────────────────────┤
■ toy │ ✓f ✓f ✓f ✓f ✓f ✓f ✓f ✓f │ all right

 page │ 8
──────┼────┤
■ toy │ ✓f │ all right

✓ right page
f = fast path`,
  );
});

Deno.test("splitVerdict() keeps every line within the width", () => {
  const designs = ["linux3_19", "draft_b", "a design with a very long name indeed", "toy"];
  for (const nrPages of [1, 8, 32, 64, 200]) {
    const rows = designs.flatMap((design, d) =>
      Array.from(
        { length: nrPages },
        (_, page) => row(design, page, "slow", "x", "y", d === 1 && page % 2 ? "crash" : "wrong-page"),
      )
    );
    for (const width of [40, 41, 80, 120]) {
      for (const line of splitVerdict(rows).toText(width).split("\n")) {
        assertEquals([...line].length <= width, true, `${nrPages} pages, ${width} columns: ${line}`);
      }
    }
  }
});

Deno.test("splitVerdict() counts what went wrong", () => {
  const answers: readonly (readonly [string, readonly (readonly [verdict: string, reached: string])[]])[] = [
    ["all right", [["ok", "page"]]],
    ["1 wrong page", [["wrong-page", "page"], ["ok", "page"]]],
    ["2 wrong pages", [["wrong-page", "page"], ["wrong-page", "page"]]],
    ["2 EFAULT", [["errno", "EFAULT"], ["errno", "EFAULT"]]],
    ["2 errno", [["errno", "EFAULT"], ["errno", "EAGAIN"]]],
    ["1 ✗, 2 !, 1 †", [["errno", "EFAULT"], ["crash", "BUG"], ["wrong-page", "page"], ["errno", "EFAULT"]]],
    ["1 odd", [["odd", "page"]]],
    ["4 failures", [["odd", "page"], ["crash", "BUG"], ["errno", "EFAULT"], ["wrong-page", "page"]]],
  ];
  for (const [answer, cells] of answers) {
    const rows = cells.map(([verdict, reached], page) => row("toy", page, "slow", reached, "page", verdict));
    const line = splitVerdict(rows).toText().split("\n").find((text) => text.startsWith("■"))!;
    assertEquals(line.split("│").at(-1)!.trim(), answer);
  }
});

Deno.test("splitVerdict() shows a page that should have been refused, but was reached, as wrong", () => {
  const text = splitVerdict([row("toy", 0, "fast", "page 0", "EFAULT", "wrong-page")]).toText();
  assertEquals(text.includes("✗fast"), true);
  assertEquals(text.includes("∅"), false);
});

Deno.test("splitVerdict() colours only when asked", () => {
  const figure = splitVerdict(SPLIT_ROWS);
  const coloured = figure.toText(80, { colour: true });
  assertEquals(figure.toText(80).includes("\x1b"), false);
  assertEquals(coloured.includes("\x1b[1;31m✗slow\x1b[0m"), true);
  // deno-lint-ignore no-control-regex
  assertEquals(coloured.replace(/\x1b\[[0-9;]*m/g, ""), figure.toText(80));
});

Deno.test("splitVerdict() names the unit of its axis and colours cells by verdict", () => {
  const spec = splitVerdict(SPLIT_ROWS).toVegaLite() as unknown as {
    $schema: string;
    data: { values: { outcome: string }[] };
    layer: {
      encoding: Record<string, { axis: { title: string }; scale: { domain: string[]; range: string[] } }>;
    }[];
  };
  assertEquals(spec.$schema, "https://vega.github.io/schema/vega-lite/v5.json");
  const [cells] = spec.layer;
  assertEquals(cells!.encoding.x!.axis.title, "page of the mapping, numbered before the split (4 KiB pages)");
  assertEquals(cells!.encoding.fill!.scale.domain, ["ok", "no-page", "wrong-page"]);
  assertEquals(cells!.encoding.fill!.scale.range, ["#d5ebe2", "#f0f0f0", "#d55e00"]);
  assertEquals(spec.data.values.map((value) => value.outcome), [
    "ok",
    "no-page",
    "ok",
    "ok",
    "ok",
    "no-page",
    "wrong-page",
    "wrong-page",
  ]);
});

Deno.test("splitVerdict() refuses rows it cannot place", () => {
  const good = row("toy", 0, "fast", "page", "page", "ok");
  const cases: readonly (readonly [readonly SplitVerdictRow[], string])[] = [
    [[], "Cannot draw a chart of split verdicts: there are no rows"],
    [[good, good], "Cannot draw toy page 0: it appears twice"],
    [[{ ...good, page: -1 }], "Cannot draw toy page -1: it must be a whole number from 0"],
    [[{ ...good, page: 0.5 }], "Cannot draw toy page 0.5: it must be a whole number from 0"],
  ];
  for (const [rows, message] of cases) assertThrows(() => splitVerdict(rows), RangeError, message);
  assertEquals(splitVerdict([good]).rows, [good]);
});
