import { assertEquals } from "@std/assert";
import { lineView } from "../../../lib/core/views.ts";
import { lineOf, textOf } from "../../../lib/repl/print.ts";

const circle: Record<string, unknown> = { a: 1 };
circle.self = circle;

const LINES: readonly (readonly [value: unknown, line: string])[] = [
  [1, "1"], // control
  [-0, "-0"],
  [0n, "0x0n"],
  ["a\u2028\r\n", '"a\\u2028\\r\\n"'],
  [Symbol("s"), "Symbol(s)"],
  [function named() {}, "[Function named]"],
  [class Named {}, "[class Named]"],
  [[1, [2]], "[1, [2]]"],
  [Array.from({ length: 1001 }, () => 0), `[${"0, ".repeat(1000)}… 1 more]`],
  [new BigUint64Array([16n]), "BigUint64Array [0x10n]"],
  [new Map([["k", { v: 1n }]]), 'Map {"k" => {v: 0x1n}}'],
  [new Set([1]), "Set {1}"],
  [circle, "{a: 1, self: [Circular]}"],
  [
    {
      get now() {
        return 1;
      },
    },
    "{now: [Getter]}",
  ],
  [Object.create(null), "{}"],
  [{ [lineView]: () => "one\ntwo" }, "one\\ntwo"],
  [{ [Symbol.for("Deno.customInspect")]: () => "in one" }, "in one"],
];

Deno.test("lineOf() writes every value in one line", () => {
  for (const [value, line] of LINES) assertEquals(lineOf(value), line);
});

Deno.test("lineOf() gives the fields where the view has several lines", () => {
  class View {
    constructor(readonly f: number) {}
    [Symbol.for("Deno.customInspect")]() {
      return "in\ntwo";
    }
  }
  assertEquals(lineOf(new View(1)), "View {f: 1}");
});

Deno.test("textOf() writes bigints in hex, and only them", () => {
  assertEquals(textOf({ a: 255n, b: "255n", c: [-16n] }), '{ a: 0xffn, b: "255n", c: [ -0x10n ] }');
  assertEquals(textOf(255n, { colour: true }).includes("0xffn"), true);
  assertEquals(textOf({ "5n": 1, x5n: 2 }), '{ "5n": 1, x5n: 2 }');
});

Deno.test("textOf() shows a string of several lines as it is and cuts what is huge", () => {
  assertEquals(textOf("a\nb"), "a\nb");
  const cut = textOf("\n".repeat(300_000));
  assertEquals(cut.slice(200_000), "… 100000 more characters");
});
