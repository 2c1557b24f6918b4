import { assertEquals } from "@std/assert";
import { completeness } from "../../../lib/repl/source.ts";
import { scan } from "../../../lib/repl/scan.ts";

const SOURCES: readonly (readonly [source: string, state: "finished" | "unfinished" | "blank"])[] = [
  ["1", "finished"], // control
  ["", "blank"],
  ["  // {", "blank"],
  ["/* { */", "blank"],
  ["/* {", "unfinished"],
  ["f(", "unfinished"],
  ["f()", "finished"],
  ["f(')'", "unfinished"],
  ["f())", "finished"],
  ["`", "unfinished"],
  ["`${`", "unfinished"],
  ["`${1}`", "finished"],
  ["`${ { a: 1 }.a }`", "finished"],
  ["`}`", "finished"],
  ["/[(]/.test(x)", "finished"],
  ["a / b / (c", "unfinished"],
  ["a / b / c", "finished"],
  ["'", "finished"],
  ["1 +", "unfinished"],
  ["i++", "finished"],
  ["i--", "finished"],
  ["const x =", "unfinished"],
  ["const x: number =", "unfinished"],
  ["if (x)", "unfinished"],
  ["if (x) y", "finished"],
  ["x.", "unfinished"],
  ["() =>", "unfinished"],
  ["1 + )", "finished"],
  ["return", "finished"],
];

for (const [source, state] of SOURCES) {
  Deno.test(`completeness() of ${JSON.stringify(source)} is ${state}`, () => {
    assertEquals(completeness(source), state);
  });
}

Deno.test("scan() blanks what is not code and keeps the lines", () => {
  assertEquals(scan("a('x{', /*\n*/ `t${b}u`) // c").code, "a('  ',   \n   ` ${b} `)     ");
});
