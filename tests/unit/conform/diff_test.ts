import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { htmlView } from "../../../lib/core/views.ts";
import { diff } from "../../../lib/conform/diff/diff.ts";
import { differencesBetween } from "../../../lib/conform/diff/release_diff.ts";
import type { Script } from "../../../lib/conform/diff/script.ts";
import { machineOf } from "../../../lib/conform/machine.ts";
import { kernelFlavour } from "../../../lib/linux/kernel.ts";
import { parseCitation } from "../../../scripts/gate/citation.ts";

/** What is said of two releases in words, as a word of the rule that must be found and a call that must show it. */
const KNOWN: readonly [first: string, second: string, found: readonly [rule: string, call: string][]][] = [
  ["linux6_1", "linux6_12", [
    ["lf", "mlock2"],
    ["accounted", "mprotect"],
    ["joins the one before", "mmap"],
    ["private mapping of grants", "mmap"],
    ["io_uring takes", "io_uring_register_buffers"],
    ["bad page map", "munmap"],
    ["last reference", "munmap"],
    ["on PVH", "move_pages"],
  ]],
  ["linux6_1", "linux7_2", [
    ["every VMA of the range", "mremap"],
    ["whichever of the two changes", "munlock"],
    ["overlap included", "mremap"],
    ["before it unmaps", "mremap"],
    ["takes the page offset", "madvise"],
    ["MADV_DOFORK", "madvise"],
    ["io_uring takes", "io_uring_register_buffers"],
  ]],
  ["linux5_10", "linux6_1", [
    ["comes to touch", "mremap"],
    ["only when it needs it", "mremap"],
    ["private anonymous memory only", "mremap"],
    ["from the whole old VMA", "mremap"],
    ["may join", "mremap"],
    ["POPULATE_READ", "madvise"],
    ["MLOCK_ONFAULT", "mlock2"],
    ["move_pages", "move_pages"],
    ["kills the process", "end"],
  ]],
  ["linux6_1-xen4_14", "linux6_1-xen4_17", [["unmapWrongBusAddress", "hc_unmap_grant_ref"]]],
];

for (const [first, second, known] of KNOWN) {
  Deno.test(`diff() finds by itself what ${first} and ${second} do not share`, async () => {
    const { effects, together } = await diff(first, second);
    for (const [word, call] of known) {
      const effect = effects.find(({ rule }) => rule.rule.includes(word));
      assertEquals(effect === undefined ? "not found" : "found", "found", word);
      assertEquals(effect!.calls.some((changed) => changed.call.startsWith(call)), true, word);
    }
    assertEquals(together, []);
  });
}

Deno.test("diff() of a release and itself, and of two that share every rule, finds nothing", async () => {
  for (const [first, second] of [["linux6_12", "linux6_12"], ["linux6_1", "linux6_1-xen4_17"]] as const) {
    const { effects, unseen, nrParted } = await diff(first, second);
    assertEquals([effects, unseen, nrParted], [[], [], 0]);
  }
});

Deno.test("diff() names the seam where no rule is told: flavours that were not derived", async () => {
  const { effects, unseen } = await diff("linux4_0", "linux6_1");
  assertEquals([...effects, ...unseen.map((rule) => ({ rule }))].map(({ rule }) => rule.rule).sort(), [
    "mm.gupFast",
    "mm.gupNoPage",
  ]);
});

Deno.test("differencesBetween() does not blame a rule for what follows from its first call", () => {
  // The first call differs by the rule; the second starts from states that differ; the third from equal ones again.
  const script: Script = {
    name: "s",
    calls: "",
    run: ({ kernel }) => {
      const old = kernel.mm.keepsAccount;
      return [
        { call: "a", answer: "0", state: [old ? "x" : "y"] },
        { call: "b", answer: old ? "1" : "2", state: ["z"] },
        { call: "c", answer: old ? "3" : "4", state: ["z"] },
        { call: "d", answer: "0", state: ["z"] },
      ];
    },
  };
  const [one, other] = ["linux6_1", "linux6_12"].map((kernel) => machineOf("", { kernel }));
  const { effects, nrParted } = differencesBetween(one!, other!, [script]);
  assertEquals(nrParted, 1);
  assertEquals(effects.map(({ calls }) => calls.map(({ call, first, second }) => [call, first, second])), [
    [["a", "0; x", "0; y"], ["c", "3", "4"]],
  ]);
});

Deno.test("differencesBetween() tells of scripts that only several rules together part", () => {
  const script: Script = {
    name: "s",
    calls: "",
    run({ kernel: { mm } }) {
      const isNew = !mm.keepsAccount || mm.lockOnFaultLetters === "lf";
      return [{ call: "a", answer: isNew ? "1" : "0", state: [] }];
    },
  };
  const [one, other] = ["linux6_1", "linux6_12"].map((kernel) => machineOf("", { kernel }));
  assertEquals(differencesBetween(one!, other!, [script]).together, ["s"]);
});

Deno.test("diff() shows a table, the rules with where they can be read, and the same as HTML", async () => {
  const found = await diff("linux6_1", "linux6_12", { paths: ["tests/golden/vma-scripted.jsonl.gz"] });
  const text = String(found);
  for (
    const part of [
      "linux6_1 -> linux6_12: 3 rules change",
      "vma-scripted mlock2-onfault, step 1: mlock2 2 3",
      "     linux6_12  0; [2,5) rw-p anon@0 rd wr mr mw me lo lf ac sd rss 0 ...",
      "recorded linux6_12-xen4_20/vma-scripted.jsonl mlock2-onfault",
      "No call of these scripts shows:",
      "on PVH, pages for foreign frames are not device memory (linux6_12)",
    ]
  ) assertStringIncludes(text, part);
  assertStringIncludes(found[htmlView](), "VmFlags has letters for VM_LOCKONFAULT, lf</td>");
});

Deno.test("diff() refuses names that there are none of", async () => {
  await assertRejects(() => diff("linux6_1", "linux6_13"), RangeError, "linux6_12");
  await assertRejects(() => diff("xen4_14", "xen4_21"), RangeError, "xen4_20");
});

Deno.test("every difference of a derived release says where it can be read", () => {
  for (const name of ["linux5_10", "linux6_12", "linux7_2"]) {
    const { differences } = kernelFlavour(name).derived!;
    assertEquals(new Set(differences.map(({ rule }) => rule)).size, differences.length);
    for (const { cite, commit } of differences) {
      for (const text of commit === undefined ? [cite] : [cite, commit]) {
        assertEquals(typeof parseCitation(text), "object", `${text}: ${JSON.stringify(parseCitation(text))}`);
      }
    }
  }
});
