import { assertEquals, assertStrictEquals } from "@std/assert";
import { lineOf } from "../../../../lib/repl/print.ts";
import {
  explainCall,
  munmap,
  type SplitRecord,
  splitVma,
  splitVmaWithinLimit,
  type Vma,
} from "../../../../lib/linux/mm/mod.ts";
import { EV } from "../../../../lib/trace/events.ts";
import { at, bytes, machine, map } from "./support.ts";

function recordOf(newBelow: boolean): SplitRecord {
  const { mm } = machine();
  map(mm, 0, 3);
  const result = splitVma(mm.vmas.lookup(at(0))!, at(1), newBelow);
  if (!result.ok) throw new Error(result.errno);
  return mm.lastSplit!;
}

Deno.test("a split's record says where it cut and who is new, in words and letters", () => {
  const rows: [newBelow: boolean, piece: string, letters: string][] = [
    [true, "lower", "N|OO"],
    [false, "upper", "O|NN"],
  ];
  for (const [newBelow, piece, letters] of rows) {
    const record = recordOf(newBelow);
    const what = `cuts at 0x100000001000; the ${piece} piece is the new VMA`;
    assertEquals([record.where, record.what, record.drawing], ["__split_vma", what, letters]);
    assertEquals(lineOf(record), `__split_vma ${what}`);
    assertEquals(String(record), `__split_vma ${what}\n${letters}`);
  }
});

Deno.test("splitVma takes a VMA more and writes the tree twice", () => {
  const { mm } = machine();
  map(mm, 0, 3);
  const { trace } = mm.system;
  const mark = trace.mark();
  splitVma(mm.vmas.lookup(at(0))!, at(1), true);
  const counted = trace.counters[EV.vma_tree_write]! - mark[EV.vma_tree_write]!;
  const prepared = trace.counters[EV.vma_tree_prealloc]! - mark[EV.vma_tree_prealloc]!;
  assertEquals([mm.vmas.size, mm.vmas.lookup(at(0)) === mm.lastSplit!.copy, counted, prepared], [
    2,
    true,
    2,
    7,
  ]);
  assertStrictEquals(explainCall(mm).decisions.at(-1), mm.lastSplit);
});

Deno.test("what forbids a split is in the record of the call", () => {
  const { mm } = machine();
  map(mm, 0, 3);
  const vma = mm.vmas.lookup(at(0))!;
  Object.assign(vma, { ops: { maySplit: (_: Vma, address: number) => address === at(1) ? "EINVAL" : null } });
  assertEquals(splitVma(vma, at(1), false), { ok: false, errno: "EINVAL" });
  assertEquals(explainCall(mm).decisions.at(-1), {
    where: "__split_vma",
    what: "may_split refuses 0x100000001000: EINVAL",
  });
  assertStrictEquals(splitVma(vma, at(2), false).ok, true);

  mm.maxMapCount = 2;
  assertEquals(splitVmaWithinLimit(vma, at(1), false), { ok: false, errno: "ENOMEM" });
  assertEquals(explainCall(mm).decisions.at(-1), {
    where: "split_vma",
    what: "2 VMAs are all that a process may have: ENOMEM",
  });
});

Deno.test("splitVma answers ENOMEM where there is no memory for a VMA", () => {
  const { linux, mm } = machine();
  map(mm, 0, 3);
  Object.assign(linux.system, { vmaAllocation: () => false });
  assertEquals(munmap(mm, at(1), bytes(1)), { ok: false, errno: "ENOMEM" });
  assertEquals(explainCall(mm).decisions, [{ where: "__split_vma", what: "no memory for a VMA: ENOMEM" }]);
  assertEquals(mm.vmas.size, 1);
});
