import {
  gupFastGeneric,
  mm6_1,
  type MmStruct,
  nativeLinux,
  noForeignPages,
  userAccess,
  VM_IO,
  type Vma,
  vmaMerge,
} from "../../../../lib/linux/mm/mod.ts";
import { assertEquals } from "@std/assert";
import { at, drawn, machine, map } from "./support.ts";

/** Asks to merge [start, end) with the properties of `like`. */
function merge(mm: MmStruct, prev: Vma | null, like: Vma, start: number, end: number): string {
  const { flags, pkey, file, anonVma } = like;
  vmaMerge(mm, { prev, start: at(start), end: at(end), flags, pkey, file, anonVma, pgoff: at(start) / 4096 });
  const { rule, prevObstacle, nextObstacle } = mm.lastMerge!;
  return `${rule} ${prevObstacle ?? "+"} ${nextObstacle ?? "+"} ${drawn(mm)}`;
}

Deno.test("vmaMerge knows the eight cases", () => {
  type Row = [rule: string, setup: (mm: MmStruct) => void, range: [number, number], expected: string];
  const table: Row[] = [
    ["1 hole between both", (mm) => (map(mm, 0, 2), map(mm, 4, 2)), [2, 4], "1 + + 0-6 rw-p ......"],
    ["2 hole after prev", (mm) => map(mm, 0, 2), [2, 4], "2 + nothing there 0-4 rw-p ...."],
    ["3 hole before next", (mm) => map(mm, 4, 2), [2, 4], "3 nothing there + 2-6 rw-p ...."],
    [
      "4 next grows over the end of prev",
      (mm) => (map(mm, 0, 4, "r--"), map(mm, 4, 2)),
      [2, 4],
      "4 nothing there + 0-2 r--p ..|2-6 rw-p ....",
    ],
    [
      "5 prev grows over the head of the middle",
      (mm) => (map(mm, 0, 2), map(mm, 2, 4, "r--")),
      [2, 4],
      "5 + nothing there 0-4 rw-p ....|4-6 r--p ..",
    ],
    [
      "6 prev swallows middle and next",
      (mm) => (map(mm, 0, 2), map(mm, 2, 2, "r--"), map(mm, 4, 2)),
      [2, 4],
      "6 + + 0-6 rw-p ......",
    ],
    [
      "7 prev swallows middle",
      (mm) => (map(mm, 0, 2), map(mm, 2, 2, "r--")),
      [2, 4],
      "7 + nothing there 0-4 rw-p ....",
    ],
    [
      "8 next swallows middle",
      (mm) => (map(mm, 2, 2, "r--"), map(mm, 4, 2)),
      [2, 4],
      "8 nothing there + 2-6 rw-p ....",
    ],
  ];
  for (const [rule, setup, [start, end], expected] of table) {
    const { mm } = machine();
    map(mm, 100, 1);
    const like = mm.vmas.lookup(at(100))!;
    setup(mm);
    const holder = mm.vmas.find(at(start));
    const prev = holder !== null && holder.start < at(start) ? holder : mm.vmas.lastBelow(at(start));
    assertEquals(merge(mm, prev, like, start, end), `${expected}|100-101 rw-p .`, rule);
  }
});

Deno.test("vmaMerge names the rule that forbids it", () => {
  const table: [rule: string, spoil: (prev: Vma) => void, expected: string][] = [
    ["control", () => {}, "+"],
    ["soft-dirty does not count", (v) => v.flags &= ~(1 << 27), "+"],
    ["flags", (v) => v.flags |= 1 << 17, "flags"],
    ["protection key", (v) => v.pkey = 1, "protection key"],
    ["close operation", (v) => v.ops = { name: "driver", close() {} }, "close operation"],
    ["page offset", (v) => v.pgoff += 1, "page offset"],
  ];
  for (const [rule, spoil, expected] of table) {
    const { mm } = machine();
    map(mm, 100, 1);
    map(mm, 0, 2);
    const prev = mm.vmas.lookup(at(0))!;
    spoil(prev);
    const like = mm.vmas.lookup(at(100))!;
    merge(mm, prev, like, 2, 4);
    assertEquals(mm.lastMerge!.prevObstacle ?? "+", expected, rule);
  }
});

Deno.test("vmaMerge never merges special mappings", () => {
  const { mm } = machine();
  map(mm, 0, 2);
  const prev = mm.vmas.lookup(at(0))!;
  prev.flags |= VM_IO;
  assertEquals(merge(mm, prev, prev, 2, 4), "0 VM_SPECIAL VM_SPECIAL 0-2 rw-p ..");
});

Deno.test("vmaMerge joins touched with untouched memory only if the touched side stays", () => {
  const table: [prevTouched: boolean, rangeTouched: boolean, forkChild: boolean, expected: string][] = [
    [false, false, false, "+"],
    [true, false, false, "+"],
    [false, true, false, "anon_vma"],
    [true, true, false, "anon_vma"],
    [true, false, true, "anon_vma"],
  ];
  for (const [prevTouched, rangeTouched, forkChild, expected] of table) {
    const { mm } = machine();
    map(mm, 0, 2);
    map(mm, 100, 1);
    if (prevTouched) userAccess(mm, 0, at(0), "w", 1);
    if (rangeTouched) userAccess(mm, 0, at(100), "w", 1);
    const prev = mm.vmas.lookup(at(0))!;
    if (forkChild) prev.anonVmaChain = [...prev.anonVmaChain, ...prev.anonVmaChain];
    merge(mm, prev, mm.vmas.lookup(at(100))!, 2, 4);
    assertEquals(mm.lastMerge!.prevObstacle ?? "+", expected, `${prevTouched} ${rangeTouched} ${forkChild}`);
  }
});

Deno.test("mmap between two touched neighbours joins the one that the flavour prefers", () => {
  for (
    const [prefers, expected] of [["next", "0-2 rw-p A.|2-6 rw-p ..A."], [
      "prev",
      "0-4 rw-p A...|4-6 rw-p A.",
    ]] as const
  ) {
    const flavour = { ...mm6_1, mergeNewPrefers: prefers, gupFast: gupFastGeneric, foreign: noForeignPages };
    const mm = nativeLinux({ frames: 1024, flavour }).process();
    map(mm, 0, 2);
    userAccess(mm, 0, at(0), "w", 1);
    map(mm, 4, 2);
    userAccess(mm, 0, at(4), "w", 1);
    map(mm, 2, 2);
    assertEquals(drawn(mm), expected, prefers);
  }
});
