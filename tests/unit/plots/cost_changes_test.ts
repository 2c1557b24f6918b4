import { assertEquals, assertThrows } from "@std/assert";
import { type CostChangeRow, costChanges } from "../../../lib/plots/mod.ts";

const ROW: CostChangeRow = {
  bench: "mmap_anon",
  n: 1,
  from: "linux5_10-xen4_14",
  to: "linux6_1-xen4_17",
  event: "vma_tree_prealloc",
  change: 2484,
  unit: "instructions",
  source: "measured: a file",
};

Deno.test("costChanges() tells each sum and its largest parts, as many as fit", () => {
  const rows = [ROW, { ...ROW, event: "syscall", change: -75 }, { ...ROW, event: "vma_alloc", change: 400 }];
  const lines = (width: number) => costChanges(rows).toText(width).split("\n").at(-1);
  assertEquals(
    lines(100),
    "mmap_anon 1: 5.10 → 6.1 +2,809  vma_tree_prealloc +2,484, vma_alloc +400, syscall -75",
  );
  assertEquals(lines(60), "mmap_anon 1: 5.10 → 6.1 +2,809  vma_tree_prealloc +2,484");
});

Deno.test("costChanges() says when prices are assumed", () => {
  assertEquals(costChanges([ROW]).toText().includes("assumed"), false, "control: measured");
  assertEquals(costChanges([{ ...ROW, source: "assumed" }]).toText().includes("(assumed prices)"), true);
});

Deno.test("costChanges() draws what adds and what takes off on its own side, also of events without a colour", () => {
  const many = Array.from({ length: 9 }, (_, i) => ({ ...ROW, event: `e${i}`, change: 100 - i }));
  const rows = [...many, { ...ROW, event: "e9", change: -1 }, { ...ROW, event: "e10", change: 2 }];
  const { layer } = costChanges(rows).spec as unknown as {
    layer: { data: { values: { event: string; change: number }[] } }[];
  };
  const others = layer[0]!.data.values.filter(({ event }) => event === "others");
  assertEquals(others.map(({ change }) => change), [93 + 92 + 2, -1]);
});

Deno.test("costChanges() refuses rows that do not go together", () => {
  const table: [why: string, rows: CostChangeRow[]][] = [
    ["there are no rows", []],
    ["a chart has one unit", [ROW, { ...ROW, unit: "cycles" }]],
    ["it must be a finite number", [{ ...ROW, change: NaN }]],
  ];
  for (const [why, rows] of table) assertThrows(() => costChanges(rows), RangeError, why);
});
