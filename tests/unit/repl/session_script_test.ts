import { assertEquals, assertThrows } from "@std/assert";
import type { JournalEntry } from "../../../lib/repl/journal.ts";
import { declaredIn, scriptOfSession } from "../../../lib/repl/session_script.ts";

const OPTIONS = {
  specifier: "grantlab",
  names: ["world", "PAGE", "hex"],
  setup: ["const w = world()", 'const qemu = w.process("qemu")'],
};

function ran(source: string, isShown = false): JournalEntry {
  return { source, outcome: "value", isShown };
}

const SCRIPTS: readonly (readonly [name: string, entries: readonly JournalEntry[], script: string])[] = [
  ["values are logged", [ran("1 + 1", true)], "console.log(1 + 1);\n"], // control
  [
    "the setup that is used, and imports for it",
    [ran("w.tlb", true)],
    'import { world } from "grantlab";\n\nconst w = world();\nconsole.log(w.tlb);\n',
  ],
  [
    "a name that the session declares is not imported",
    [ran("const hex = 1"), ran("hex", true)],
    "const hex = 1;\nconsole.log(hex);\n",
  ],
  ["a member of that name is none", [ran("({}).hex", true)], "console.log(({}).hex);\n"],
  ["names declared again", [ran("const a = 1"), ran("const a: number = 2")], "let a = 1;\n(a = 2);\n"],
  [
    "patterns declared again",
    [ran("const { a } = x"), ran("let [a, b] = y")],
    "let { a } = x;\n([a, b] = y);\n",
  ],
  [
    "statements with bodies",
    [ran("function f() {\n  return 1\n}"), ran("for (;;) { break }")],
    "function f() {\n  return 1\n}\nfor (;;) { break }\n",
  ],
  [
    "imports first",
    [ran("1", true), ran('import { x } from "y"')],
    'import { x } from "y";\n\nconsole.log(1);\n',
  ],
  [
    "lines that failed in comments",
    [{ source: "a\nb", outcome: "error", message: "E: no", isShown: false }, {
      source: "c",
      outcome: "interrupt",
      isShown: false,
    }],
    "// a\n// b\n// failed: E: no\n// c\n// was interrupted\n",
  ],
];

for (const [name, entries, script] of SCRIPTS) {
  Deno.test(`scriptOfSession(): ${name}`, () => assertEquals(scriptOfSession(entries, OPTIONS), script));
}

Deno.test("scriptOfSession() refuses what it cannot say", () => {
  assertThrows(
    () => scriptOfSession([ran("const a = 1"), ran("f(); const a = 2")], OPTIONS),
    Error,
    "Cannot save: a is declared again in a line with other statements",
  );
});

Deno.test("declaredIn() finds names at the outermost level alone", () => {
  assertEquals(declaredIn("const a = 1; let { b, c: d, ...e } = f"), ["a", "b", "d", "e"]);
  assertEquals(declaredIn("function f() { const inner = 1 }; class C {}"), ["f", "C"]);
  assertEquals(declaredIn('"const x = 1"; g(() => { let y = 2 })'), []);
});
