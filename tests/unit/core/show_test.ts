import { assertStrictEquals, assertThrows } from "@std/assert";
import { Shown, viewOf } from "../../../lib/core/shown.ts";
import type { View } from "../../../lib/core/view.ts";
import { hex, show } from "../../../lib/core/show.ts";

Deno.test("hex() writes digits, sign and padding", () => {
  const cases: [value: number | bigint, digits: number, text: string][] = [
    [0, 1, "0x0"],
    [0x1f, 1, "0x1f"],
    [5, 4, "0x0005"],
    [0x12345, 4, "0x12345"],
    [-1, 1, "-0x1"],
    [-1n, 4, "-0x0001"],
    [0xffff_8880_0000_0000n, 1, "0xffff888000000000"],
    [2 ** 52 - 1, 1, "0xfffffffffffff"],
    [NaN, 1, "NaN"],
    [1.5, 4, "1.5"],
  ];
  for (const [value, digits, text] of cases) assertStrictEquals(hex(value, digits), text);
  for (const value of ["x", undefined, {}]) {
    assertThrows(() => hex(value as never), TypeError, "in hexadecimal: it must be a number or a bigint");
  }
});

Deno.test("show() quotes a value in at most a line", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  class Loop {
    readonly self = this;
  }
  class Frame extends Shown {
    override [viewOf](): View {
      return { line: "frame 0x1f" };
    }
  }
  const cases: [value: unknown, text: string][] = [
    [4095, "4095"],
    [4096, "0x1000"],
    [-4095, "-4095"],
    [-4096, "-0x1000"],
    [4096.5, "4096.5"],
    [-0, "-0"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [5n, "0x5"],
    ["linux6_1", '"linux6_1"'],
    ['a"b\n', '"a\\"b\\n"'],
    ["x".repeat(60), `"${"x".repeat(60)}"`],
    ["x".repeat(61), `"${"x".repeat(60)}… (61 characters)"`],
    [{ a: 1 }, '{"a":1}'],
    [[1, 2], "[1,2]"],
    [[0x1000n], '["0x1000"]'],
    [circular, "an object"],
    [Object.assign(Object.create(null), circular), "an object"],
    [new Loop(), "an object of class Loop"],
    [new Frame(), "frame 0x1f"],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [Symbol("s"), "Symbol(s)"],
    [function named() {}, "function named"],
    [(() => () => {})(), "function (anonymous)"],
  ];
  for (const [value, text] of cases) assertStrictEquals(show(value), text);
});
