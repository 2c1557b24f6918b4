import { assertEquals } from "@std/assert";
import { namedText, nameOfPath } from "../../../lib/repl/named_text.ts";
import { textOf } from "../../../lib/repl/print.ts";

const NAMED: readonly (readonly [name: string, value: unknown, text: string | undefined])[] = [
  ["pfn", 1024, "0x400"],
  ["p2mEnd", 2048, "0x800"],
  ["start", 0x7fff_f7ff_b000, "0x7ffff7ffb000"],
  ["mfn", -1, undefined],
  ["pfn", 1.5, undefined],
  ["pages", 1024, undefined],
  ["count", 0x60, undefined],
  ["grantPteFlags", 0x60, "0x60 (A D)"],
  ["pteFlags", 0x27, "0x27 (P RW US A)"],
  ["mapNoHandle", -13, "-13 (GNTST_no_space)"],
  ["frames", Float64Array.of(16, 17, 18, 32), "4: 0x10–0x12 0x20"],
  ["frames", [-1, -1, 5], "3: -1 -1 0x5"],
  ["pfns", [7], "1: 0x7"],
  ["frames", [], undefined],
  ["frames", ["a"], undefined],
  ["counts", [16, 17], undefined],
];

Deno.test("namedText() writes what the name says it is", () => {
  for (const [name, value, text] of NAMED) assertEquals(namedText(name, value), text, name);
  const scattered = Array.from({ length: 50 }, (_, i) => 2 * i);
  assertEquals(namedText("frames", scattered)?.endsWith("0x4e … 10 more runs"), true);
});

Deno.test("textOf() minds the name of a bare value", () => {
  assertEquals(textOf(4096, { name: "frame" }), "0x1000");
  assertEquals(textOf(4096, { name: "length" }), "4096");
  assertEquals(textOf(4096), "4096");
  assertEquals(
    textOf({ name: "x", grantPteFlags: 96, mapNoHandle: -13, n: 96 }),
    '{ name: "x", grantPteFlags: 0x60 (A D), mapNoHandle: -13 (GNTST_no_space), n: 96 }',
  );
});

const PATHS: readonly (readonly [source: string, name: string | undefined])[] = [
  ["w.p2mEnd", "p2mEnd"],
  ["  vma.start;", "start"],
  ["pfn", "pfn"],
  ["io.pages[0].pfn", "pfn"],
  ["w.dom0.frames[3]", "frames"],
  ['w.process("a").mm.mmapBase', "mmapBase"],
  ["w.guest?.frames", "frames"],
  ["const x = 1\nw.p2mEnd", "p2mEnd"],
  ["1 + w.p2mEnd", undefined],
  ["w.grant(8)", undefined],
  ["", undefined],
];

Deno.test("nameOfPath() finds the name of a path, and of nothing else", () => {
  for (const [source, name] of PATHS) assertEquals(nameOfPath(source), name, source);
});
