import { BadInput } from "../../../lib/conform/format.ts";
import { vmaSequences } from "../../../lib/conform/vma_sequences.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { replay, textInput } from "./text_input.ts";

const RW = "rd wr mr mw me ac sd";

function row(i: number, op: string, outcome: Record<string, unknown>, vmas: unknown[], seq = "s"): string {
  return JSON.stringify({ seq, i, op: op.split(" "), ret: 0, errno: "0", ...outcome, vmas });
}

const MAPPED = [0, 2, "rw-p", 0, "anon", RW, 0, ".."];

Deno.test("vmaSequences replays each sequence in a process of its own", async () => {
  const lines = [
    row(0, "mmap 0 2 rw- priv", {}, [MAPPED]),
    row(1, "touch w 1", { ret: 2 }, [[0, 2, "rw-p", 0, "anon", RW, 1, ".A"]]),
    row(2, "touch r 9", { ret: null, sig: "SIGSEGV", code: 1 }, [[0, 2, "rw-p", 0, "anon", RW, 1, ".A"]]),
    row(3, "munmap 0 0", { ret: null, errno: "EINVAL" }, [[0, 2, "rw-p", 0, "anon", RW, 1, ".A"]]),
    row(
      0,
      "mmap 1 1 r-- shared B 7",
      { ret: 1 },
      [[1, 2, "r--s", 7, "B", "rd sh mr mw me ms sd", 0, "."]],
      "t",
    ),
    row(1, "touch r 1", { ret: 104 }, [[1, 2, "r--s", 7, "B", "rd sh mr mw me ms sd", 1, "F"]], "t"),
    row(2, "mincore 1 1", { vec: "1" }, [[1, 2, "r--s", 7, "B", "rd sh mr mw me ms sd", 1, "F"]], "t"),
    row(0, "munmap 99999999999999 1", { ret: null, errno: "EINVAL" }, [], "u"),
  ];
  assertEquals(await replay(vmaSequences, textInput(lines)), { counts: [8, 0, 0], differences: [] });
});

Deno.test("vmaSequences fails the rest of a sequence after a difference, and only that", async () => {
  const lines = [
    row(0, "mmap 0 2 rw- priv", { ret: 1 }, [MAPPED]),
    row(1, "munmap 0 2", {}, []),
    row(0, "mmap 0 2 rw- priv", {}, [MAPPED], "t"),
    row(1, "remap_file_pages 0 2", {}, [MAPPED], "t"),
  ];
  const { counts, differences } = await replay(vmaSequences, textInput(lines));
  assertEquals(counts, [1, 3, 0]);
  const vmas = JSON.stringify([MAPPED]);
  assertEquals(differences, [
    `s step 0: mmap 0 2 rw- priv: expected 1 0 ${vmas}, got 0 0 ${vmas}`,
    "s step 1: expected the recorded step, got an earlier step of the sequence failed",
    `t step 1: remap_file_pages 0 2: expected 0 0 ${vmas}, got operation remap_file_pages has no model yet`,
  ]);
});

Deno.test("vmaSequences compares every field", async () => {
  const table: [
    rule: string,
    op: string,
    outcome: Record<string, unknown>,
    vmas: unknown[],
    passed: number,
  ][] = [
    ["control", "mmap 0 2 rw- priv", {}, [MAPPED], 1],
    ["ret", "mmap 0 2 rw- priv", { ret: 4 }, [MAPPED], 0],
    ["errno", "munmap 0 0", { ret: null, errno: "ENOMEM" }, [], 0],
    ["sig", "touch r 0", { ret: null, sig: "SIGBUS", code: 1 }, [], 0],
    ["code", "touch r 0", { ret: null, sig: "SIGSEGV", code: 2 }, [], 0],
    ...MAPPED.map((field, i): [string, string, Record<string, unknown>, unknown[], number] => [
      `VMA field ${i}`,
      "mmap 0 2 rw- priv",
      {},
      [MAPPED.with(i, typeof field === "number" ? field + 1 : `${field}x`)],
      0,
    ]),
  ];
  for (const [rule, op, outcome, vmas, passed] of table) {
    const { counts } = await replay(vmaSequences, textInput([row(0, op, outcome, vmas)]));
    assertEquals(counts, [passed, 1 - passed, 0], rule);
  }
});

Deno.test("vmaSequences names line and reason of a malformed step", async () => {
  const table: [op: string, reason: string][] = [
    ["mmap x 2 rw- priv", 'golden:1: "x" is not a number of pages, nor pages+bytes'],
    ["mmap 0 2 rwz priv", 'golden:1: "rwz" is not like rwx or r--'],
    ["mmap 0 2 rw- purple", 'golden:1: mmap knows no word "purple"'],
    ["mremap 0 2 2 fast", 'golden:1: mremap knows no word "fast"'],
    ["madvise 0 2 PERHAPS", 'golden:1: madvise knows no advice "PERHAPS"'],
    ["touch x 2", "golden:1: touch x is neither r nor w"],
  ];
  for (const [op, reason] of table) {
    await assertRejects(() => replay(vmaSequences, textInput([row(0, op, {}, [])])), BadInput, reason);
  }
});
