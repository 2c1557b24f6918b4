import { assertEquals, assertThrows } from "@std/assert";
import { toCsv } from "../../../lib/plots/mod.ts";

Deno.test("toCsv() quotes what would break a field", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    ["plain", "plain"],
    ["a,b", '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ["two\nlines", '"two\nlines"'],
    ["return\r", '"return\r"'],
    [" edge", '" edge"'],
    ["in side", "in side"],
    ["", ""],
    [undefined, ""],
    [null, ""],
    [0, "0"],
    [-1.5, "-1.5"],
    [false, "false"],
    [[1, 2], '"[1,2]"'],
    [0x1fn, "31"],
  ];
  for (const [value, expected] of cases) {
    assertEquals(toCsv([{ key: value, end: 1 }]), `key,end\n${expected},1\n`);
  }
});

Deno.test("toCsv() takes columns from all rows and records apart", () => {
  const rows = [{ a: 1, events: { x: 1 } }, { a: 2, events: { y: 2 } }, { "b,": 3 }];
  assertEquals(toCsv(rows), 'a,events.x,events.y,"b,"\n1,1,,\n2,,2,\n,,,3\n');
});

Deno.test("toCsv() refuses no rows", () => {
  assertThrows(
    () => toCsv([]),
    RangeError,
    "Cannot write CSV of 0 rows: there is no row to take the columns from",
  );
});
