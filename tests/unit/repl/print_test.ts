import { assertEquals } from "@std/assert";
import { KernelBug } from "../../../lib/core/crash.ts";
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

const FOR_PEOPLE: readonly (readonly [value: unknown, text: string])[] = [
  [65535, "65535"], // control
  [65536, "0x10000 (65536)"],
  [-65536, "-0x10000 (-65536)"],
  [1e300, "1e+300"],
  [{ ok: true, value: 0x7ffff7ff7000 }, "0x7ffff7ff7000 (140737354100736)"],
  [{ ok: true, value: 0 }, "0"],
  [{ ok: false, errno: "EINVAL" }, "-EINVAL (Invalid argument)"],
  [{ ok: false, errno: "ENOMEM", why: "no room" }, "-ENOMEM (Cannot allocate memory): no room"],
  [{ ok: false, errno: "ENOMEM", more: 1 }, '{ ok: false, errno: "ENOMEM", more: 1 }'],
  [{ ok: false, errno: "EWHAT" }, '{ ok: false, errno: "EWHAT" }'],
  [{ ok: true }, "{ ok: true }"],
  [
    { ok: false, signal: "SIGSEGV", code: 2, trap: 14, errorCode: 6, address: 0x1000 },
    "SIGSEGV (code 2) at 0x1000, error code 0x6",
  ],
  [
    { start: 4096, count: 4096, hostAddr: 16, mfn: 31 },
    "{ start: 0x1000, count: 4096, hostAddr: 0x10, mfn: 0x1f }",
  ],
  [{ frames: [1, 16], refs: [8, 16] }, "{ frames: [ 0x1, 0x10 ], refs: [ 8, 16 ] }"],
  [{ frames: new Float64Array([16]) }, "{ frames: Float64Array(1) [ 0x10 ] }"],
  [{ text: "start: 16", frame: 16 }, '{ text: "start: 16", frame: 0x10 }'],
  [[2 ** 32 - 1, 2 ** 32], "[ 4294967295, 0x100000000 (4294967296) ]"],
  [{ frame: 1.5 }, "{ frame: 1.5 }"],
  [new KernelBug("gup_pte_range", "BUG_ON(x)", "why"), "kernel BUG in gup_pte_range: BUG_ON(x): why"],
];

Deno.test("textOf() writes addresses, frames and results of system calls as engineers read them", () => {
  for (const [value, text] of FOR_PEOPLE) assertEquals(textOf(value), text);
});

Deno.test("textOf() tells the size of a value of 10 MB that it cuts", () => {
  const cut = textOf("x".repeat(10_000_000), { most: 1000 });
  assertEquals(cut, `"${"x".repeat(1000)}"… 9999000 more characters, 10.0 million in all`);
});
