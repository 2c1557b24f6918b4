/**
 * What building page tables by hand writes, entry by entry, and what a refusal leaves as it was.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { maddrOf, mfn } from "../../../lib/core/frames.ts";
import { PageTable, type PageTableOptions } from "../../../lib/x86/page_table.ts";
import { PhysMem } from "../../../lib/x86/phys_mem.ts";
import { _PAGE_ACCESSED, _PAGE_NX, _PAGE_PRESENT, _PAGE_RW, _PAGE_USER } from "../../../lib/x86/pte.ts";

/** Tables in frames 1, 2, 3 …; memory ends at frame 0x100000. */
function tables(options: Partial<PageTableOptions> = {}): PageTable {
  let free = 1;
  return new PageTable(new PhysMem(0x100000), { allocate: () => mfn(free++), ...options });
}

/** Entry `index` of a table. */
const entry = (t: PageTable, table: number, index = 0): bigint =>
  t.mem.read64(maddrOf(mfn(table), index * 8));
const list = (t: PageTable) => [...t.leaves()].map(({ va, level, frame }) => [va, level, frame]);

Deno.test("PageTable.map() writes table entries with the flags of tables, leaves with their own", () => {
  const tableFlags = _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED;
  const rows: [
    rule: string,
    options: Partial<PageTableOptions>,
    map: Parameters<PageTable["map"]>[2],
    frame: number,
    expected: bigint[],
  ][] = [
    ["control", {}, {}, 0x33, [0x2007n, 0x3007n, 0x4007n, 0x33007n]],
    ["flags of tables", { tableFlags }, {}, 0x33, [0x2023n, 0x3023n, 0x4023n, 0x33007n]],
    ["flags of leaves", {}, { flags: _PAGE_PRESENT }, 0x33, [0x2007n, 0x3007n, 0x4007n, 0x33001n]],
    ["not present", {}, { flags: _PAGE_USER }, 0x33, [0x2007n, 0x3007n, 0x4007n, 0x33004n]],
    ["2 MiB", {}, { size: "2M" }, 0x200, [0x2007n, 0x3007n, 0x20_0087n]],
    ["1 GiB", {}, { size: "1G" }, 0x40000, [0x2007n, 0x4000_0087n]],
    ["five levels", { levels: 5 }, {}, 0x33, [0x2007n, 0x3007n, 0x4007n, 0x5007n, 0x33007n]],
    ["the last frame that an entry holds", {}, {}, 2 ** 40 - 1, [
      0x2007n,
      0x3007n,
      0x4007n,
      2n ** 52n - 0xff9n,
    ]],
    [
      "the last frames of 2 MiB",
      {},
      { size: "2M", flags: _PAGE_PRESENT | _PAGE_NX },
      2 ** 40 - 512,
      [0x2007n, 0x3007n, 1n << 63n | 2n ** 52n - 0x1f_ff7fn],
    ],
  ];
  for (const [rule, options, map, frame, expected] of rows) {
    const t = tables(options);
    t.map(0, mfn(frame), map);
    assertEquals(expected.map((_, i) => entry(t, i + 1)), expected, rule);
    assertEquals(t.mem.framesWithContent, expected.length, rule);
  }
});

Deno.test("PageTable prints its ranges, from its top table down", () => {
  for (const levels of [4, 5] as const) {
    const t = tables({ levels });
    t.map(levels === 4 ? 0x1000 : 2n ** 48n, mfn(0x33), { pages: 2 });
    assertEquals(String(t).split("\n")[0], "page table at frame 0x1: 2 pages in 1 ranges");
  }
});

Deno.test("PageTable takes a top table that is there", () => {
  const first = tables();
  first.map(0x40_0000, mfn(0x33));
  const t = new PageTable(first.mem, { root: first.root, allocate: () => mfn(0x50) });
  assertEquals([t.root, list(t)], [first.root, list(first)]);
  t.map(0x20_0000, mfn(0x34));
  assertEquals([entry(t, 3, 1), list(first).length], [0x50007n, 2]);
});

Deno.test("PageTable.map() that meets an entry keeps the pages before it", () => {
  const t = tables();
  t.map(0x40_2000, mfn(0x99));
  assertThrows(() => t.map(0x40_0000, mfn(0x33), { pages: 4 }), RangeError, "Cannot map 0x402000");
  assertEquals(list(t), [[0x40_0000n, 1, 0x33], [0x40_1000n, 1, 0x34], [0x40_2000n, 1, 0x99]]);
});

Deno.test("PageTable refuses tables that are no memory, and entries that are in use otherwise", () => {
  const swapped = tables();
  swapped.mem.write64(maddrOf(swapped.root), 0x1234_0000n);
  const broken = tables();
  broken.map(0x20_0000, mfn(0x400), { size: "2M" });
  broken.map(0x40_0000, mfn(0x33));
  broken.mem.write64(maddrOf(broken.root, 8), 0x100_0000_0007n);
  const beyond = (last: number) => {
    let next = last;
    const t = tables({ root: mfn(1), allocate: () => mfn(next++) });
    return () => t.map(0, mfn(0x33));
  };
  const large = (frame: number) => {
    const made = [1, 2, 3, frame];
    const t = tables({ allocate: () => mfn(made.shift()!) });
    t.map(0x20_0000, mfn(0x400), { size: "2M" });
    return () => t.split(0x20_0000);
  };
  const rows: [act: () => unknown, message: string | null][] = [
    [() => swapped.map(0x1000, mfn(1)), "Cannot map 0x1000: the entry at level 4 is not present but in use"],
    [beyond(0xfffff - 2), null],
    [beyond(0xfffff - 1), "Cannot use as a table frame 0x100000"],
    [large(0xfffff), null],
    [large(0x100000), "Cannot use as a table frame 0x100000"],
    [
      () => broken.unmap(0x80_0000_0000),
      "Cannot unmap 0x8000000000: a table on the way there has no memory behind it",
    ],
    [() => broken.protect(0x80_0000_0000, 1), "Cannot protect 0x8000000000: a table on the way"],
    [() => broken.unmap(0x40_0800), "Cannot unmap 0x400800: it is not aligned to a 4 KiB page"],
    [() => broken.protect(0x40_0800, 1), "Cannot protect 0x400800: it is not aligned to a 4 KiB page"],
    [() => broken.unmap(0, 2 ** 20 + 1), "Cannot unmap pages 1048577: the budget pagesPerCall is 1048576"],
    [
      () => broken.map(0, mfn(1), { pages: 2 ** 20 + 1 }),
      "Cannot map pages 1048577: the budget pagesPerCall",
    ],
    [() => broken.map(0, mfn(2 ** 40 - 1), { pages: 2 }), "a whole number from 0 to 0xfffffffffe"],
    [() => broken.map(0, mfn(2 ** 40 - 512), { size: "2M", pages: 2 }), "from 0 to 0xfffffffc00"],
    [() => broken.protect(0, 2 ** 24), "Cannot protect with flags 0x1000000"],
    [() => broken.protect(0x20_1000, 1, 511), "the range cuts the 2 MiB page at 0x200000"],
    [() => broken.unmap(0x20_0000, 511), "the range cuts the 2 MiB page at 0x200000"],
    [() => broken.split(0x60_0000), "Cannot split the page at 0x600000: nothing is mapped there"],
    [() => broken.split(0x40_0000), "Cannot split the page at 0x400000: it is a 4 KiB page"],
    [() => broken.lookup(0x8000_0000_0000n), "it is not canonical"],
  ];
  for (const [act, message] of rows) {
    if (message === null) act();
    else assertThrows(act, RangeError, message);
  }
  assertEquals(broken.lookup(0x80_0000_0000), undefined);
  assertEquals(list(broken), [[0x20_0000n, 2, 0x400], [0x40_0000n, 1, 0x33]]);
});

Deno.test("PageTable.protect() keeps the frame, and the PAT bit of a large page", () => {
  const flags = _PAGE_PRESENT | _PAGE_NX;
  const rows: [rule: string, size: "4K" | "2M" | "1G", before: bigint, after: bigint][] = [
    ["4 KiB", "4K", 0x4000_1007n, 1n << 63n | 0x4000_1001n],
    ["4 KiB: bit 7 is PAT, one of its flags", "4K", 0x4000_1087n, 1n << 63n | 0x4000_1001n],
    ["2 MiB", "2M", 0x4000_0087n, 1n << 63n | 0x4000_0081n],
    ["2 MiB with PAT", "2M", 0x4000_1087n, 1n << 63n | 0x4000_1081n],
    ["1 GiB with PAT", "1G", 0x4000_1087n, 1n << 63n | 0x4000_1081n],
  ];
  for (const [rule, size, before, after] of rows) {
    const t = tables();
    t.map(0x4000_0000, mfn(0x40000), { size });
    const { at, level } = t.lookup(0x4000_0000)!;
    t.mem.write64(at, before);
    assertEquals(t.protect(0x4000_0000, flags, 512 ** (level - 1)), 1, rule);
    assertEquals(t.mem.read64(at), after, rule);
    assertEquals(t.unmap(0x4000_0000, 512 ** (level - 1)), 1, rule);
    assertEquals(t.mem.read64(at), 0n, rule);
  }
});

Deno.test("PageTable.split() writes one table, with the flags of tables above it", () => {
  const t = tables({ tableFlags: _PAGE_PRESENT | _PAGE_USER });
  t.map(0x4000_0000, mfn(0x40000), { size: "1G", flags: _PAGE_PRESENT }); // tables 1, 2
  t.split(0x7fff_ffff);
  assertEquals([entry(t, 2, 1), entry(t, 3), entry(t, 3, 511)], [0x3005n, 0x4000_0081n, 0x7fe0_0081n]);
  t.split(0x4000_0000);
  assertEquals([entry(t, 3), entry(t, 4), entry(t, 4, 511)], [0x4005n, 0x4000_0001n, 0x401f_f001n]);
});

Deno.test("PageTable.freeEmptyTables() keeps what is in use, whatever by", () => {
  const rows: [rule: string, write: (t: PageTable) => void, freed: number][] = [
    ["control: tables 2, 3, 4 are empty", () => {}, 3],
    ["a swapped page", (t) => t.mem.write64(maddrOf(mfn(4), 4088), 0x1234_0000n), 0],
    ["a swapped page in the high word alone", (t) => t.mem.write64(maddrOf(mfn(4), 8), 1n << 40n), 0],
    ["an entry of a higher table, not present", (t) => t.mem.write64(maddrOf(mfn(3), 8), 0x1234_0000n), 1],
    ["a large page", (t) => t.mem.write64(maddrOf(mfn(3), 8), 0x4000_0087n), 1],
    ["a table without memory", (t) => t.mem.write64(maddrOf(mfn(3), 8), 0x1_0000_0007n), 1],
    ["a table of zeros that nobody wrote", (t) => t.mem.write64(maddrOf(mfn(3), 8), 0x9007n), 4],
    ["a large page of 1 GiB", (t) => t.mem.write64(maddrOf(mfn(2), 8), 0x4000_0087n), 2],
  ];
  for (const [rule, write, freed] of rows) {
    const t = tables();
    t.map(0, mfn(0x33));
    t.unmap(0);
    write(t);
    assertEquals(t.freeEmptyTables(), freed, rule);
    assertEquals(t.freeEmptyTables(), 0, `${rule}, again`);
  }
  const t = tables({ tableFlags: _PAGE_PRESENT | _PAGE_NX });
  t.map(0x20_0000, mfn(0x33)); // tables 2, 3, 4; entry 1 of table 3
  t.map(0, mfn(0x34)); // table 5
  t.unmap(0x20_0000);
  assertEquals(
    [t.freeEmptyTables(), entry(t, 3, 0), entry(t, 3, 1)],
    [1, 1n << 63n | 0x5001n, 0n],
    "both words",
  );
});

Deno.test("PageTable.freeEmptyTables() judges a table that two entries lead to once, for both", () => {
  for (const isUsed of [false, true]) {
    const t = tables();
    t.map(0, mfn(0x33)); // tables 2, 3, 4
    if (!isUsed) t.unmap(0);
    t.mem.write64(maddrOf(t.root, 8), 0x2007n);
    assertEquals(t.freeEmptyTables(), isUsed ? 0 : 3);
    const expected = isUsed ? 0x2007n : 0n;
    assertEquals([entry(t, 1, 0), entry(t, 1, 1)], [expected, expected], isUsed ? "in use" : "empty");
  }
});
