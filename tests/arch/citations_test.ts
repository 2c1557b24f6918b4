import { assertEquals, assertStringIncludes } from "@std/assert";
import { citationsOf, parseCitation } from "../../scripts/gate/citation.ts";

Deno.test("parseCitation() reads each source", () => {
  const cases: [text: string, source: string, edition: string, where: string, words: string][] = [
    ["linux 6.1 mm/memory.c vm_normal_page", "linux", "6.1", "mm/memory.c", "vm_normal_page"],
    ["linux 7.2 mm/vma.c", "linux", "7.2", "mm/vma.c", ""],
    ["linux 6.1 arch/x86/entry/entry_64.S entry", "linux", "6.1", "arch/x86/entry/entry_64.S", "entry"],
    ["xen 4.17 xen/common/grant_table.c a b", "xen", "4.17", "xen/common/grant_table.c", "a b"],
    [
      "classic 2.6.18-xen drivers/xen/core/gnttab.c",
      "classic",
      "2.6.18-xen",
      "drivers/xen/core/gnttab.c",
      "",
    ],
    ["sdm 3A 4.10.4.1", "sdm", "3A", "4.10.4.1", ""],
    ["sdm 3A 4.5 Table 4-20", "sdm", "3A", "4.5", "Table 4-20"],
    ["sdm 3A Table 4-20", "sdm", "3A", "Table 4-20", ""],
    ["apm 2 5.3.3 long mode", "apm", "2", "5.3.3", "long mode"],
    ["list 2014-10-13 the subject: of it", "list", "2014-10-13", "the subject: of it", ""],
    ["list 2014-10 the reply", "list", "2014-10", "the reply", ""],
    ["commit c6961d4f4a Add VM_FOREIGN", "commit", "c6961d4f4a", "Add VM_FOREIGN", ""],
    ["recorded vma-scripted.jsonl split-3", "recorded", "vma-scripted.jsonl", "split-3", ""],
    ["recorded translate.csv.gz lvl", "recorded", "translate.csv.gz", "lvl", ""],
  ];
  for (const [text, source, edition, where, words] of cases) {
    assertEquals(parseCitation(text), { source, edition, where, words }, text);
  }
});

Deno.test("parseCitation() says why a text is no citation", () => {
  const cases: [text: string, reason: string][] = [
    ["", "unknown source"],
    ["Linux 6.1 mm/memory.c", 'unknown source "Linux"'],
    ["freebsd 14 sys/vm.c", 'unknown source "freebsd"'],
    ["constructor 1 a", 'unknown source "constructor"'],
    ["linux mm/memory.c vm_normal_page", '"mm/memory.c" after linux is not a release; known are'],
    ["linux 6.2 mm/memory.c", '"6.2" after linux is not a release'],
    ["linux 6.1", '"" after linux 6.1 is not a file'],
    ["linux 6.1 (see there)", "is not a file"],
    ["xen 6.1 xen/common/grant_table.c", '"6.1" after xen is not a release'],
    ["sdm 3 4.10", '"3" after sdm is not a volume'],
    ["sdm 3A paging", '"paging" after sdm 3A is not a section'],
    ["sdm 3A 4.10.", "is not a section"],
    ["list 2014-13-01 Subject", "is not a date"],
    ["list 2014-10-13", "is not the subject"],
    ["recorded vma-scripted case", "is not a recording"],
    ["recorded vma-scripted.jsonl", "is not the case"],
    ["commit c69 Subject", "is not a hash"],
  ];
  for (const [text, reason] of cases) {
    const parsed = parseCitation(text);
    assertStringIncludes(typeof parsed === "string" ? parsed : "(accepted)", reason, text);
  }
});

Deno.test("citationsOf() reads comments and rows of data, with their lines", () => {
  const text = [
    "/**",
    " * Words about `@cite` are no citation.",
    " * @cite linux 6.1 mm/gup.c gup_pte_range",
    " */",
    "/** Short. @cite sdm 3A 4.5 */",
    'const row = { cite: "xen 4.17 xen/common/grant_table.c map_grant_ref" };',
    "// @cite nobody 1 2",
    'const bad = { cite: "sdm 9 1" };',
  ].join("\n");
  const { citations, findings } = citationsOf("lib/a.ts", text);
  assertEquals(citations.map(({ line, source, words }) => [line, source, words]), [
    [3, "linux", "gup_pte_range"],
    [5, "sdm", ""],
    [6, "xen", "map_grant_ref"],
  ]);
  assertEquals(findings.map(({ file, line }) => [file, line]), [["lib/a.ts", 7], ["lib/a.ts", 8]]);
});

Deno.test("citationsOf() reads JSON", () => {
  const { citations } = citationsOf("lib/a.json", '{ "cite": "apm 2 5.3" }');
  assertEquals(citations.length, 1);
});
