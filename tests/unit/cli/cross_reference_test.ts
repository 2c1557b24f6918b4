import { assertEquals } from "@std/assert";
import { crossReference, librarySources, referencesIn } from "../../../lib/cli/cross_reference.ts";
import { knownWords, meaningsOf, referencesTo } from "../../../lib/cli/meanings.ts";

const AT = "@" + "cite";

Deno.test("referencesIn() finds what a citation belongs to", () => {
  const rows: [string, string[]][] = [
    [`/** ${AT} linux 6.1 mm/a.c foo */\nexport function fooBar() {}`, ["foo fooBar"]],
    [`/** ${AT} linux 6.1 mm/a.c foo\n * @module\n */\nimport x;\nexport function y() {}`, ["foo f"]],
    [`/**\n * ${AT} xen 4.17 a.c foo\n */\nexport const FOO = 1;`, ["foo FOO"]],
    [`class A {\n  /** ${AT} xen 4.17 a.c foo */\n  readonly bar: number;\n}`, ["foo bar"]],
    [`class A {\n  // ${AT} xen 4.17 a.c foo\n  get bar() {}\n}`, ["foo bar"]],
    // A step within a function.
    [`export function y(\n  a: number,\n): void {\n  // ${AT} xen 4.17 a.c foo\n  if (a) return;\n}`, [
      "foo y",
    ]],
    [`class A {\n  #bar(a: number): void {\n    if (a) {\n      // ${AT} xen 4.17 a.c foo\n      return;`, [
      "foo #bar",
    ]],
    // Words that are no name, and sources without names.
    [`/** ${AT} sdm 3A 4.10 */\nconst a = 1;`, []],
    [`/** ${AT} linux 6.1 mm/a.c */\nconst a = 1;`, []],
    [`/** ${AT} linux 6.1 mm/a.c several words */\nconst a = 1;`, []],
  ];
  for (const [text, found] of rows) {
    assertEquals(referencesIn("lib/f.ts", text).map(({ name, ours }) => `${name} ${ours}`), found, text);
  }
});

Deno.test("crossReference() sorts by name and tells a citation once", () => {
  const twice =
    `/** ${AT} linux 6.1 b.c beta */\nconst b = 1;\n/** ${AT} linux 6.1 b.c Alpha */\nconst a = 1;`;
  const found = crossReference([["lib/x.ts", twice], ["lib/x.ts", twice]]);
  assertEquals(found.map(({ name, line }) => `${name} ${line}`), ["Alpha 3", "beta 1"]);
});

Deno.test("the library's own sources lead from vm_normal_page to vmNormalPage", () => {
  const project = new URL("../../../", import.meta.url);
  const found = referencesTo("vm_normal_page", project).map(({ kind, text }) =>
    `${kind} ${text.split(" ")[0]}`
  );
  assertEquals(found.includes("linux 6.1 mm/memory.c vmNormalPage"), true, found.join("\n"));
  assertEquals([...librarySources(project)].some(([path]) => path === "lib/linux/mm/memory.ts"), true);
});

Deno.test("meaningsOf() explains statuses, errnos, events, flavours and experiments", () => {
  const rows: [string, string[]][] = [
    ["GNTST_bad_gntref", ["grant status GNTST_bad_gntref"]],
    ["-3", ["grant status GNTST_bad_gntref", "errno ESRCH"]],
    ["EFAULT", ["errno EFAULT"]],
    ["14", ["errno EFAULT"]],
    ["invlpg", ["event invlpg"]],
    ["linux6_1", ["kernel flavour linux6_1"]],
    ["xen4_17", ["Xen flavour xen4_17"]],
    ["split_then_pin", ["experiment split_then_pin"]],
    ["toString", []],
    ["EFAUL", []],
  ];
  for (const [word, found] of rows) {
    assertEquals(meaningsOf(word).map(({ kind, name }) => `${kind} ${name}`), found, word);
  }
  assertEquals(knownWords().filter((word) => meaningsOf(word).length === 0), []);
});
