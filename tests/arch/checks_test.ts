import { assertEquals } from "@std/assert";
import { findNoModuleComment, findNotImportable, findUndocumented } from "../../scripts/check_docs.ts";
import { findSilent, findUnpriced } from "../../scripts/check_events.ts";
import {
  findDeadLinks,
  findFaults,
  findUnlisted,
  findWrongMinutes,
  readingMinutes,
} from "../../scripts/check_notebooks.ts";
import { findWrongAnswers, readRows, type SeedRow } from "../../scripts/check_seed.ts";
import { findWords } from "../../scripts/check_words.ts";

Deno.test("findSilent() finds rows that no code emits", () => {
  const code = {
    file: "lib/x86/a.ts",
    text: 'trace.add(EV.hit);\ntrace.add(EV["miss"]);\n * trace.add(EV.example);',
  };
  assertEquals(findSilent(["hit", "miss"], [code]), []);
  assertEquals(findSilent(["hit", "miss", "example"], [code]).map((f) => f.reason), [
    "example: no code emits it",
  ]);
  assertEquals(findSilent(["hit", "later"], [code], { later: "a layer to come" }), []);
  assertEquals(findSilent(["hit"], [code], { hit: "a layer to come" }).map((f) => f.reason), [
    "hit is emitted now: take it out of AWAITED",
  ]);
});

Deno.test("findUnpriced() finds rows without a price and prices without a row", () => {
  const list = (prices: Record<string, number>) => ({
    file: "lib/cost/a.json",
    text: JSON.stringify({ prices }),
  });
  assertEquals(findUnpriced(["a", "b"], [list({ a: 1, b: 2 })]), []);
  assertEquals(findUnpriced(["a", "b"], [list({ a: 1, c: 2 })]).map((f) => f.reason), [
    "b: no price",
    "c: there is no such event",
  ]);
});

Deno.test("findWords() finds what must not be in a text, and lets its neighbours be", () => {
  // Split, so that the check does not find its own test.
  const cases: [text: string, count: number][] = [
    ["a workload, rooted, at home/here", 0],
    ["and/wor" + "k/or a/roo" + "t/b", 0],
    ["https://xenbits.xen.org/docs", 0],
    ["methods todo with stubborn stubdom", 0],
    ["see /wor" + "k/main/lib", 1],
    ["see `/roo" + "t/.npm`", 1],
    ["see /hom" + "e/me/x", 1],
    ["../shar" + "ed/oracle", 1],
    ["https://registry.npm" + "js.org/x", 1],
    ["TO" + "DO later", 1],
    ["fine fo" + "r now", 1],
    ["a plac" + "eholder", 1],
    ["a st" + "ub", 1],
  ];
  for (const [text, count] of cases) assertEquals(findWords("README.md", text).length, count, text);
});

Deno.test("findWords() holds files of code to 400 lines and the lockfile to no host", () => {
  assertEquals(findWords("lib/a.ts", "x\n".repeat(400)), []);
  assertEquals(findWords("lib/a.ts", "x\n".repeat(401)).length, 1);
  assertEquals(findWords("README.md", "x\n".repeat(401)), []);
  assertEquals(findWords("deno.lock", '{ "integrity": "sha512-x" }'), []);
  assertEquals(findWords("deno.lock", '{ "tarball": "https://a.example/b.tgz" }').length, 2);
});

Deno.test("findUndocumented() finds exported names without a sentence", () => {
  const location = { filename: "a.ts", line: 4 };
  const declared = (kind: string, doc?: string) => ({
    kind,
    declarationKind: "export",
    location,
    ...(doc === undefined ? {} : { jsDoc: { doc } }),
  });
  const findings = findUndocumented({
    nodes: {
      a: {
        symbols: [
          { name: "good", declarations: [declared("function", "Does it.")] },
          { name: "overloaded", declarations: [declared("function", "Does it."), declared("function")] },
          { name: "CONSTANT", declarations: [declared("variable")] },
          { name: "bad", declarations: [declared("function")] },
          { name: "Empty", declarations: [declared("class", " ")] },
        ],
      },
    },
  });
  assertEquals(findings.map((f) => f.reason), [
    "function bad has no docstring",
    "class Empty has no docstring",
  ]);
});

Deno.test("findNoModuleComment() wants the comment first", () => {
  assertEquals(findNoModuleComment("a.ts", "/**\n * What.\n *\n * @module\n */\nexport {};"), []);
  assertEquals(findNoModuleComment("a.ts", 'import "b";\n/** What. @module */').length, 1);
  assertEquals(findNoModuleComment("a.ts", "/** No tag. */").length, 1);
});

Deno.test("findNotImportable() wants each layer in exports and imports", () => {
  const both = {
    exports: { "./core": "./lib/core/mod.ts" },
    imports: { "grantlab/core": "./lib/core/mod.ts" },
  };
  assertEquals(findNotImportable(["lib/core/mod.ts", "lib/std/mod.ts"], both), []);
  assertEquals(findNotImportable(["lib/xen/mod.ts"], both).map((f) => f.reason), [
    'exports lacks "./xen": "./lib/xen/mod.ts"',
    'imports lacks "grantlab/xen": "./lib/xen/mod.ts"',
  ]);
});

const KNOWN: Record<string, boolean> = {
  linux3_19: true,
  draft_b: false,
  seed2014: false,
  vma_pages_v1: true,
  linux4_0: true,
  linux6_1: true,
};

/** One row per design, right or wrong as `isRight` says. */
function seedRows(isRight: Record<string, boolean>): SeedRow[] {
  return Object.entries(isRight).map(([design, right]) => ({
    design,
    page: 2,
    path: "slow",
    reached: right ? "0x10" : "0x11",
    expected: "0x10",
    verdict: right ? "right" : "wrong page",
    events: {},
  }));
}

Deno.test("findWrongAnswers() wants the known designs wrong and the others right", () => {
  assertEquals(findWrongAnswers(seedRows(KNOWN)), []);
  for (const design of Object.keys(KNOWN)) {
    const flipped = seedRows({ ...KNOWN, [design]: !KNOWN[design] });
    assertEquals(findWrongAnswers(flipped).length, 1, design);
    assertEquals(findWrongAnswers(seedRows(KNOWN).filter((r) => r["design"] !== design)).length, 1, design);
  }
  const { verdict: _, ...short } = seedRows(KNOWN)[0]!;
  assertEquals(findWrongAnswers([short, ...seedRows(KNOWN)]).map((f) => f.reason), ["row 1 lacks verdict"]);
});

Deno.test("readRows() reads an array and a row per line", () => {
  assertEquals(readRows('[{"page":1},{"page":2}]\n'), [{ page: 1 }, { page: 2 }]);
  assertEquals(readRows('{"page":1}\n{"page":2}\n'), [{ page: 1 }, { page: 2 }]);
});

Deno.test("findUnlisted() wants every notebook once, in order, numbered without a gap", () => {
  const index = (...names: string[]) =>
    names.map((name) => `| [${name.slice(0, 2)}, x](${name}) | q |`).join("\n");
  const names = ["01-a.ipynb", "02-b.ipynb"];
  assertEquals(findUnlisted(names, index(...names)), []);
  const reasons = (given: string[], text: string) => findUnlisted(given, text).map(({ reason }) => reason);
  assertEquals(reasons(names, index("01-a.ipynb")), ["02-b.ipynb is not listed"]);
  const notInOrder = ["the list is not the notebooks in their order, each once"];
  assertEquals(reasons(names, index("02-b.ipynb", "01-a.ipynb")), notInOrder);
  assertEquals(reasons(names, index(...names, "02-b.ipynb")), notInOrder);
  assertEquals(reasons(["01-a.ipynb", "03-b.ipynb"], index("01-a.ipynb", "03-b.ipynb")), [
    "its number is not 2",
  ]);
});

Deno.test("findFaults() finds what a reader would miss in a notebook", () => {
  const good = {
    title: "# A title\n\nWhy?",
    output: "display_data",
    mime: "image/png",
    end: "## Try it",
  };
  const faults = (change: Partial<typeof good>) => {
    const { title, output, mime, end } = { ...good, ...change };
    const markdown = (source: string) => ({ cell_type: "markdown", metadata: {}, source });
    const data = {
      output_type: output,
      data: { [mime]: "" },
      metadata: {},
      ename: "E",
      evalue: "",
      traceback: [],
    };
    const code = { cell_type: "code", execution_count: 1, metadata: {}, outputs: [data], source: "1" };
    const cells = [markdown(title), code, markdown(end)].map((cell, i) => ({ id: `c${i}`, ...cell }));
    return findFaults("n.ipynb", JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }))
      .map(({ reason }) => reason);
  };
  assertEquals(faults({}), []);
  assertEquals(faults({ title: "A title? No" }), ["it has no title"]);
  assertEquals(faults({ title: "# A title" }), ["it does not start from a question"]);
  assertEquals(faults({ output: "stream" }), ["it shows no figure"]);
  assertEquals(faults({ mime: "text/plain" }), ["it shows no figure"]);
  assertEquals(faults({ output: "error" }), ["it shows no figure", "an output is an error"]);
  assertEquals(faults({ end: "## The end" }), ["it does not say what to try"]);
});

Deno.test("readingMinutes() counts words, code cells and figures, and rounds up", () => {
  const minutes = (words: number, cells: number, figures: number) => {
    const picture = { output_type: "display_data", data: { "image/png": "" }, metadata: {} };
    const code = (outputs: unknown[]) => ({ cell_type: "code", metadata: {}, outputs, source: "a b c" });
    const made = [
      { cell_type: "markdown", metadata: {}, source: `| - ${"word ".repeat(words)}` },
      ...Array.from({ length: cells }, (_, i) => code(i === 0 ? Array(figures).fill(picture) : [])),
    ].map((cell, i) => ({ id: `c${i}`, ...cell }));
    return readingMinutes(
      "n.ipynb",
      JSON.stringify({ cells: made, metadata: {}, nbformat: 4, nbformat_minor: 5 }),
    );
  };
  const cases: [words: number, cells: number, figures: number, expected: number][] = [
    [200, 0, 0, 1],
    [201, 0, 0, 2],
    [0, 3, 0, 1],
    [0, 2, 1, 1],
    [0, 3, 1, 2],
    [200, 2, 1, 2],
  ];
  for (const [words, cells, figures, expected] of cases) {
    assertEquals(
      minutes(words, cells, figures),
      expected,
      `${words} words, ${cells} cells, ${figures} figures`,
    );
  }
});

Deno.test("findWrongMinutes() finds minutes that are not the notebook's, and too many", () => {
  const reasons = (said: number, found: number) =>
    findWrongMinutes(new Map([["01-a.ipynb", found]]), `| [01, a](01-a.ipynb) | why? | ${said} | – | a bar |`)
      .map(({ reason }) => reason);
  assertEquals(reasons(10, 10), []);
  assertEquals(reasons(9, 10), ["01-a.ipynb takes 10 minutes, not 9"]);
  assertEquals(reasons(11, 11), ["it takes 11 minutes, 10 is the most"]);
});

Deno.test("findDeadLinks() finds links to no notebook and under another's number", () => {
  const reasons = (text: string) =>
    findDeadLinks("n", text, (name) => name === "05-a.ipynb").map(({ reason }) => reason);
  assertEquals(reasons("[05](05-a.ipynb) [05, a](05-a.ipynb) [a](05-a.ipynb)"), []);
  assertEquals(reasons("[06](05-a.ipynb)"), ["a link to 05-a.ipynb says 06"]);
  assertEquals(reasons("[06](06-b.ipynb)"), ["there is no 06-b.ipynb"]);
});
