import { assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { callable, instanceOf, outOfRange, wholeNumber, wrongType } from "../../../lib/core/misuse.ts";

Deno.test("outOfRange() and wrongType() name action, value and reason", () => {
  const range = outOfRange("map frame", 0x1f00, "it is owned by domain 3");
  assertInstanceOf(range, RangeError);
  assertStrictEquals(range.message, "Cannot map frame 0x1f00: it is owned by domain 3");
  const type = wrongType("map frame", "x", "it must be a number");
  assertInstanceOf(type, TypeError);
  assertStrictEquals(type.message, 'Cannot map frame "x": it must be a number');
});

Deno.test("wholeNumber() takes both ends and nothing beyond", () => {
  for (const n of [3, 4, 5]) assertStrictEquals(wholeNumber("do", n, 3, 5), n);
  const refused: [value: unknown, error: typeof RangeError | typeof TypeError][] = [
    [2, RangeError],
    [6, RangeError],
    [3.5, RangeError],
    [NaN, RangeError],
    ["4", TypeError],
    [4n, TypeError],
    [null, TypeError],
  ];
  for (const [value, error] of refused) {
    assertThrows(() => wholeNumber("do", value, 3, 5), error, "it must be a whole number from 3 to 5");
  }
});

Deno.test("instanceOf() and callable() answer the value or name it", () => {
  const date = new Date(0);
  assertStrictEquals(instanceOf("age", date, Date, "it must be a date"), date);
  assertThrows(
    () => instanceOf("age", 4, Date, "it must be a date"),
    TypeError,
    "Cannot age 4: it must be a date",
  );
  const body = () => {};
  assertStrictEquals(callable("run", body), body);
  assertThrows(() => callable("run", 4 as never), TypeError, "Cannot run 4: it must be a function");
});
