import { assertEquals, assertThrows } from "@std/assert";
import { table } from "../../../lib/plots/mod.ts";

const ROWS = [
  { design: "linux6_1", page: 0, frame: 0x1234n, note: "as expected" },
  { design: "toy", page: 12, frame: 0x5n, note: "" },
];

Deno.test("table() aligns numbers to the right and writes bigints in hex", () => {
  assertEquals(
    table(ROWS),
    `\
design    page   frame  note
────────  ────  ──────  ───────────
linux6_1     0  0x1234  as expected
toy         12     0x5`,
  );
});

Deno.test("table() takes columns, headers, alignment and formats", () => {
  const columns = [
    { key: "page", header: "#", align: "left" },
    { key: "design", align: "right", format: (value: unknown) => `<${value}>` },
  ] as const;
  assertEquals(
    table(ROWS, { columns }),
    `\
#       design
──  ──────────
0   <linux6_1>
12       <toy>`,
  );
});

Deno.test("table() cuts the widest columns first, those of addresses and frames last", () => {
  assertEquals(
    table(ROWS, { width: 28 }),
    `\
design  page   frame  note
──────  ────  ──────  ──────
linux…     0  0x1234  as ex…
toy       12     0x5`,
  );
  assertEquals(
    table(ROWS, { width: 20 }),
    `\
de…  pa…  frame  no…
───  ───  ─────  ───
li…    0  0x12…  as…
toy   12    0x5`,
  );
});

Deno.test("table() leaves columns out where not even three characters fit, and says so", () => {
  assertEquals(
    table(ROWS, { width: 10 }),
    `\
design   …
───────  ─
linux6…  …
toy      …`,
  );
});

Deno.test("table() keeps a value on its line and shows records as JSON", () => {
  const rows = [{ text: "a\nb\x1b[31m", events: { hypercall: 2 }, none: null }];
  assertEquals(
    table(rows),
    `\
text      events           none
────────  ───────────────  ────
a b [31m  {"hypercall":2}`,
  );
});

Deno.test("table() of no rows shows the columns that were named, or says so", () => {
  assertEquals(table([]), "(no rows)");
  assertEquals(table<{ page: number }>([], { columns: ["page"] }), "page\n────");
});

Deno.test("table() refuses a width it cannot fit", () => {
  for (const width of [9, 0, -1, 10.5, NaN]) {
    assertThrows(() => table(ROWS, { width }), RangeError, "Cannot print a table of width");
  }
});
