import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { maddr, maddrOf, mfn } from "../../../lib/core/frames.ts";
import { entryAt, leavesOf } from "../../../lib/x86/leaves.ts";
import { PageTable } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_GLOBAL, _PAGE_NX, _PAGE_PRESENT } from "../../../lib/x86/pte.ts";
import { validateTables } from "../../../lib/x86/validate.ts";

function tables(levels: 4 | 5 = 4) {
  let free = 1;
  return new PageTable(new PhysMem(0x100000), { levels, allocate: () => mfn(free++) });
}

const list = (t: PageTable) => [...t.leaves()].map(({ va, level, frame }) => [va, level, frame]);

Deno.test("PageTable maps pages of every size, and leaves come in order", () => {
  const t = tables();
  t.map(0xffff_8000_0000_0000n, mfn(0x40000), { size: "1G" });
  t.map(0x40_0000, mfn(0x400), { size: "2M", pages: 2 });
  t.map(0x1f_f000, mfn(0x33), { pages: 1, flags: _PAGE_PRESENT | _PAGE_NX | _PAGE_GLOBAL });
  assertEquals(list(t), [
    [0x1f_f000n, 1, 0x33],
    [0x40_0000n, 2, 0x400],
    [0x60_0000n, 2, 0x600],
    [0xffff_8000_0000_0000n, 3, 0x40000],
  ]);
  assertStrictEquals(t.lookup(0x1f_f000)!.flags, _PAGE_PRESENT | _PAGE_NX | _PAGE_GLOBAL);
  assertStrictEquals(t.lookup(0x5f_ffff)!.va, 0x40_0000n);
  assertStrictEquals(t.lookup(0x20_0000), undefined);
});

Deno.test("PageTable maps across the tables of a level, with four and five levels", () => {
  for (const levels of [4, 5] as const) {
    const t = tables(levels);
    const start = levels === 4 ? 0x7fff_ffff_e000n : 0xff_ffff_ffff_e000n;
    t.map(start - (1n << 21n), mfn(0x1000), { pages: 514 });
    const leaves = list(t);
    assertEquals([leaves.length, leaves[0], leaves[513]], [
      514,
      [start - (1n << 21n), 1, 0x1000],
      [start + 0x1000n, 1, 0x1201],
    ]);
    assertThrows(() => t.map(start + 0x2000n, mfn(1)), RangeError, "not canonical");
  }
});

Deno.test("PageTable unmaps and protects whole leaves only", () => {
  const t = tables();
  t.map(0x20_0000, mfn(0x400), { size: "2M" });
  t.map(0x40_0000, mfn(0x33), { pages: 3 });
  assertThrows(() => t.unmap(0x20_0000, 511), RangeError, "the range cuts the 2 MiB page at 0x200000");
  assertThrows(() => t.unmap(0x3f_f000, 2), RangeError, "the range cuts the 2 MiB page at 0x200000");
  assertStrictEquals(list(t).length, 4);
  assertStrictEquals(t.protect(0x20_0000, _PAGE_PRESENT, 513), 2);
  assertEquals([t.lookup(0x20_0000)!.flags, t.lookup(0x40_0000)!.flags, t.lookup(0x40_1000)!.flags], [
    0x81,
    1,
    7,
  ]);
  assertStrictEquals(t.unmap(0x20_0000, 1024), 4);
  assertEquals(list(t), []);
  assertStrictEquals(t.unmap(0, 2 ** 20), 0);
});

Deno.test("PageTable refuses what cannot be mapped, by name", () => {
  const t = tables();
  t.map(0x20_0000, mfn(0x400), { size: "2M" });
  t.map(0x40_0000, mfn(0x33));
  const table: [act: () => unknown, message: string][] = [
    [() => t.map(0x1001, mfn(1)), "Cannot map 0x1001: it is not aligned to a 4 KiB page"],
    [() => t.map(0x1000, mfn(0x200), { size: "2M" }), "Cannot map 0x1000: it is not aligned to a 2 MiB page"],
    [
      () => t.map(0x60_0000, mfn(0x201), { size: "2M" }),
      "Cannot map frame 513: it is not aligned to a 2 MiB",
    ],
    [() => t.map(0x20_1000, mfn(1)), "Cannot map 0x201000: it lies in a 2 MiB page"],
    [() => t.map(0x40_0000, mfn(1)), "Cannot map 0x400000: an entry is there already"],
    [() => t.map(0x40_0000, mfn(0x200), { size: "2M" }), "Cannot map 0x400000: an entry is there already"],
    [() => t.map(0x1000, mfn(1), { size: "4M" as never }), 'Cannot find the page size "4M"'],
    [() => t.map(0x1000, mfn(1), { pages: 2 ** 40 }), "the budget pagesPerCall is 1048576"],
    [() => t.map(0x8000_0000_0000n, mfn(1)), "it is not canonical"],
    [() => t.map(0x1000, 2 ** 40 as never), "Cannot map frame 0x10000000000"],
    [() => t.map(0x1000, mfn(2 ** 40 - 1), { pages: 2 }), "Cannot map frame 0xffffffffff"],
    [
      () => t.map(0x1000, mfn(1), { flags: 1 << 24 | 1 }),
      "an entry has no packed flag 24; there are 0 to 23",
    ],
    [() => t.map(0x1000, mfn(1), { flags: -1 }), "Cannot map with flags -1"],
    [() => t.protect(0x40_0000, 2 ** 40), "an entry has no packed flag 40"],
    [() => tables(3 as never), "Cannot make page tables of levels 3: there are 4 or 5 levels of paging"],
    [() => validateTables(t.mem, 1, { levels: 6 as never }), "Cannot validate tables of levels 6"],
  ];
  for (const [act, message] of table) assertThrows(act, RangeError, message);
});

Deno.test("entryAt stops where a walk would, and at missing memory", () => {
  const t = tables();
  t.map(0x40_0000, mfn(0x33));
  const at = (va: bigint) => entryAt(t.mem, t.root, 4, va);
  assertEquals([at(0x40_0123n)!.va, at(0x40_0123n)!.level], [0x40_0000n, 1]);
  assertEquals([at(0x40_1000n)!.level, at(0x20_0000n)!.level, at(0x4000_0000n)!.level], [1, 2, 3]);
  t.mem.write64(maddrOf(t.root, 8), 0x100_0000_0007n);
  assertStrictEquals(at(1n << 39n), undefined);
  assertStrictEquals(list(t).length, 1);
});

Deno.test("leavesOf is lazy over tables that point to themselves", () => {
  const mem = new PhysMem(16);
  mem.write64(maddr(0x1000), 0x1007n);
  mem.write64(maddr(0x1ff8), 0x1007n);
  const leaves = leavesOf(mem, 1, 4);
  assertStrictEquals(leaves.next().value!.va, 0n);
  assertStrictEquals(leaves.next().value!.va, 0x1f_f000n);
});

Deno.test("validateTables names each violation and ends on cycles", () => {
  const table: [rule: string, entry: bigint, expected: string[], maxPhyAddr?: number][] = [
    ["control", 0n, []],
    ["points to itself", 0x1007n, []],
    ["table beyond memory", 0x10_0007n, ["table without memory"]],
    ["last frame of memory", 0xf_f007n, []],
    ["reserved address bit", 1n << 40n | 7n, ["reserved bit"], 40],
    ["the same bit, wider addresses", 1n << 40n | 7n, ["table without memory"], 41],
    ["PS at level 4", 0x2087n, ["reserved bit"]],
    ["not present", 1n << 40n | 6n, [], 40],
  ];
  for (const [rule, entry, expected, maxPhyAddr] of table) {
    const mem = new PhysMem(0x100);
    mem.write64(maddr(0x1010), entry);
    const found = validateTables(mem, 1, maxPhyAddr === undefined ? {} : { maxPhyAddr });
    assertEquals(found.map((v) => v.rule), expected, rule);
    for (const v of found) assertEquals([v.table, v.level, v.index], [1, 4, 2], rule);
  }
});

Deno.test("validateTables judges leaves", () => {
  const t = tables();
  t.map(0x20_0000, mfn(0x400), { size: "2M" });
  const { at } = t.lookup(0x20_0000)!;
  const rules = () => validateTables(t.mem, t.root, { nxEnabled: false }).map((v) => v.rule);
  assertEquals(rules(), []);
  t.mem.write64(at, 0x40_2087n);
  assertEquals(rules(), ["misaligned large page"]);
  t.mem.write64(at, 1n << 63n | 0x40_0087n);
  assertEquals(rules(), ["reserved bit"]);
  t.mem.write64(at, 0x1_0000_0087n);
  assertEquals(rules(), ["page without memory"]);
  assertEquals(validateTables(new PhysMem(16), 16).map((v) => v.rule), ["table without memory"]);
});

Deno.test("PageTable splits a large page into pages that translate alike", () => {
  const t = tables();
  const pat = 1n << 12n;
  t.map(0x4000_0000, mfn(0x40000), { size: "1G", flags: _PAGE_PRESENT | _PAGE_NX | _PAGE_GLOBAL });
  const { at } = t.lookup(0x4000_0000)!;
  t.mem.write64(at, t.mem.read64(at) | pat | 0x60n);
  assertStrictEquals(t.split(0x4012_3456), 2);
  const large = t.lookup(0x4020_0000)!;
  assertEquals([large.level, large.frame, large.flags, large.lo >>> 12 & 1, list(t).length], [
    2,
    0x40200,
    _PAGE_PRESENT | _PAGE_NX | _PAGE_GLOBAL | 0xe0,
    1,
    512,
  ]);
  assertStrictEquals(t.split(0x4020_0000), 1);
  const small = t.lookup(0x403f_f000)!;
  assertEquals([small.level, small.frame, small.flags, list(t).length], [
    1,
    0x403ff,
    _PAGE_PRESENT | _PAGE_NX | _PAGE_GLOBAL | 0xe0, // bit 7 is PAT now
    1023,
  ]);
  t.map(0x8000_0000, mfn(0x200), { size: "2M" });
  t.split(0x8000_0000);
  assertStrictEquals(t.lookup(0x8000_1000)!.flags, 7);
  assertEquals(validateTables(t.mem, t.root), []);
  assertThrows(() => t.split(0x8000_0000), RangeError, "it is a 4 KiB page");
  assertThrows(() => t.split(0xc000_0000), RangeError, "nothing is mapped there");
});

Deno.test("PageTable frees tables that are empty, and only those", () => {
  let next = 1;
  const freed: number[] = [];
  const mem = new PhysMem(0x1000);
  const t = new PageTable(mem, { allocate: () => mfn(next++), free: (frame) => freed.push(frame) });
  t.map(0x40_0000, mfn(0x33)); // tables 2, 3, 4
  t.map(0x60_0000, mfn(0x34)); // table 5
  t.map(0x80_0000_0000, mfn(0x35)); // tables 6, 7, 8
  assertStrictEquals(t.freeEmptyTables(), 0);
  t.unmap(0x60_0000);
  assertEquals([t.freeEmptyTables(), freed], [1, [5]]);
  t.unmap(0x80_0000_0000);
  assertEquals([t.freeEmptyTables(), freed.toSorted()], [3, [5, 6, 7, 8]]);
  assertEquals([list(t).length, mem.framesWithContent], [1, 4]);
  // An entry in use though not present (a swapped page) keeps its table.
  t.unmap(0x40_0000);
  const at = maddrOf(mfn(4), 0);
  mem.write64(at, 0x1234_0000n);
  assertStrictEquals(t.freeEmptyTables(), 0);
  mem.write64(at, 0n);
  // Two entries lead to the same table: it is freed once, both entries go. One leads to itself: it stays.
  mem.write64(maddrOf(t.root, 8), mem.read64(maddrOf(t.root)));
  mem.write64(maddrOf(t.root, 4088), 0x1007n);
  freed.length = 0;
  assertEquals([t.freeEmptyTables(), freed.toSorted()], [3, [2, 3, 4]]);
  assertEquals([
    mem.read64(maddrOf(t.root)),
    mem.read64(maddrOf(t.root, 8)),
    mem.read64(maddrOf(t.root, 4088)),
  ], [
    0n,
    0n,
    0x1007n,
  ]);
});

Deno.test("Mapped pages cost their tables only", () => {
  const t = tables();
  t.map(0x4000_0000, mfn(0), { pages: 2 ** 18 });
  assertStrictEquals(t.mem.framesWithContent, 3 + 2 ** 18 / 512);
});
