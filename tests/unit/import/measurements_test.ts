import { assertEquals, assertThrows } from "@std/assert";
import { parseMeasurements } from "../../../lib/import/measurements.ts";

Deno.test("parseMeasurements() reads columns in any order, comments, quotes", () => {
  const text =
    '\ufeff# my host\nunit,value,operation,n\r\n\r\nns,95.5,getpid,1\nns,2e4,"touch_write_anon",64\n';
  assertEquals(parseMeasurements(text, "mine.csv"), {
    name: "mine.csv",
    unit: "ns",
    rows: [
      { line: 4, operation: "getpid", n: 1, value: 95.5 },
      { line: 5, operation: "touch_write_anon", n: 64, value: 20000 },
    ],
  });
});

const HEADER = "operation,n,value,unit\n";
const TABLE: readonly [text: string, message: string][] = [
  ["", "Cannot use m.csv: it has no line"],
  [HEADER, "Cannot use m.csv: there is no measurement under the header"],
  ["operation,n,value\ngetpid,1,3\n", "Cannot use m.csv:1: no column unit"],
  ["operation,value\ngetpid,3\n", "Cannot use m.csv:1: no column n, unit"],
  ["operation,n,n,value,unit\ngetpid,1,1,3,ns\n", "Cannot use m.csv:1: column n stands there twice"],
  [`${HEADER}getpid,1,,ns\n`, "Cannot use m.csv:2: value is missing"],
  [`${HEADER}getpid,1,3\n`, "Cannot use m.csv:2: unit is missing"],
  [`${HEADER}getpid,1,-3,ns\n`, "Cannot use m.csv:2: value is -3, it must not be negative"],
  [`${HEADER}getpid,1,fast,ns\n`, 'Cannot use m.csv:2: value is "fast", it must be a number'],
  [`${HEADER}getpid,1,0x10,ns\n`, 'Cannot use m.csv:2: value is "0x10", it must be a number'],
  [`${HEADER}getpid,1,NaN,ns\n`, 'Cannot use m.csv:2: value is "NaN", it must be a number'],
  [`${HEADER}getpid,0,3,ns\n`, "Cannot use m.csv:2: n is 0, it must be a whole number from 1"],
  [`${HEADER}getpid,1.5,3,ns\n`, "Cannot use m.csv:2: n is 1.5, it must be a whole number from 1"],
  [`${HEADER}getpid,1,3,s\n`, 'Cannot use m.csv:2: unit "s" is unknown, there are cycles, instructions, ns'],
  [
    `${HEADER}getpid,1,3,ns\ngetpid,1,3,cycles\n`,
    "Cannot use m.csv:3: unit cycles after ns, all rows must have one unit",
  ],
];

Deno.test("parseMeasurements() refuses a file with line and reason", () => {
  for (const [text, message] of TABLE) {
    const error = assertThrows(() => parseMeasurements(text, "m.csv"), Error);
    assertEquals(error.message, message);
  }
});
