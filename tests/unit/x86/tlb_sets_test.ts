/**
 * The sets of a TLB: who makes way for whom, what is free after a drop, how one that grows grows.
 *
 * @module
 */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { RIGHT_LEVEL_SHIFT, RIGHT_WRITE } from "../../../lib/x86/access.ts";
import { Tlb, TLB_BASE_HI, TLB_BASE_LO, TLB_RIGHTS } from "../../../lib/x86/tlb.ts";

const SMALL = 1 << RIGHT_LEVEL_SHIFT;
const LARGE = 2 << RIGHT_LEVEL_SHIFT;
const HUGE = 3 << RIGHT_LEVEL_SHIFT;

/** Those of the first `n` 4 KiB pages that are cached. */
function cached(tlb: Tlb, n: number): number[] {
  return Array.from({ length: n }, (_, page) => page).filter((page) => tlb.find(0, page << 12, 0) >= 0);
}

/** Inserts 4 KiB pages by number. */
function fill(tlb: Tlb, ...pages: number[]): void {
  for (const page of pages) tlb.insert(0, page << 12, 0, SMALL, page << 12, 0);
}

Deno.test("Tlb takes a free place of the set, else goes round", () => {
  const table: [rule: string, sets: number, ways: number, act: (t: Tlb) => void, expected: number[]][] = [
    ["control: all fit", 2, 2, (t) => fill(t, 0, 1, 2, 3), [0, 1, 2, 3]],
    ["the oldest of its set goes", 2, 2, (t) => fill(t, 0, 1, 2, 3, 4), [1, 2, 3, 4]],
    ["round and round", 1, 2, (t) => fill(t, 0, 1, 2, 3, 4), [3, 4]],
    ["three ways, one round and one more", 1, 3, (t) => fill(t, 0, 1, 2, 3, 4, 5, 6), [4, 5, 6]],
    ["each set goes round by itself", 2, 1, (t) => fill(t, 0, 1, 2, 4), [1, 4]],
    ["… the last one, too", 4, 2, (t) => fill(t, 0, 1, 2, 3, 7, 11), [0, 1, 2, 7, 11]],
    ["a dropped page leaves its place", 1, 2, (t) => {
      fill(t, 0, 1);
      t.dropPage(0, 0, 0);
      fill(t, 2);
    }, [1, 2]],
    ["… to its own set", 2, 1, (t) => {
      fill(t, 0, 1);
      t.dropPage(0, 0x1000, 0);
      fill(t, 2, 3);
    }, [2, 3]],
    ["a place dropped twice is one place", 1, 2, (t) => {
      fill(t, 0, 1);
      const at = t.find(0, 0, 0);
      t.dropAt(at);
      t.dropAt(at);
      fill(t, 2, 3);
    }, [1, 3]],
    ["all places are free after dropAll", 1, 2, (t) => {
      fill(t, 0, 1);
      t.dropAll();
      fill(t, 2, 3);
    }, [2, 3]],
    ["and after dropPcid", 1, 2, (t) => {
      fill(t, 0, 1);
      t.dropPcid(0);
      fill(t, 2, 3);
    }, [2, 3]],
  ];
  for (const [rule, sets, ways, act, expected] of table) {
    const tlb = new Tlb({ sets, ways });
    act(tlb);
    assertEquals([cached(tlb, 12), tlb.size], [expected, expected.length], rule);
  }
});

Deno.test("Tlb keeps count of page sizes when one makes way for another", () => {
  const table: [rule: string, sizes: number[], live: number[]][] = [
    ["4 KiB", [SMALL], [1, 0, 0]],
    ["4 KiB, then 2 MiB", [SMALL, LARGE], [0, 1, 0]],
    ["2 MiB, then 1 GiB", [LARGE, HUGE], [0, 0, 1]],
    ["2 MiB, then another", [LARGE, LARGE], [0, 1, 0]],
    ["1 GiB, then 4 KiB", [HUGE, SMALL], [1, 0, 0]],
  ];
  for (const [rule, sizes, live] of table) {
    const tlb = new Tlb({ sets: 1, ways: 1 });
    sizes.forEach((size, i) => tlb.insert(i, 0x4000_0000, 0, size, 0, 0));
    const found = sizes.map((_, i) => tlb.find(i, 0x4000_0000, 0) >= 0);
    assertEquals(found, sizes.map((_, i) => i === sizes.length - 1), rule);
    assertEquals([...tlb.live.subarray(1, 4), tlb.size], [...live, 1], rule);
  }
});

Deno.test("Tlb asks for the smallest page first", () => {
  const tlb = new Tlb();
  for (const [size, base] of [[HUGE, 0x4000_0000], [LARGE, 0x20_0000], [SMALL, 0x1000]] as const) {
    tlb.insert(0, 0x4000_0000, 0, size, base, 0);
  }
  const bases: number[] = [];
  for (let at = tlb.find(0, 0x4000_0000, 0); at >= 0; at = tlb.find(0, 0x4000_0000, 0)) {
    bases.push(tlb.words[at + TLB_BASE_LO]!);
    tlb.dropAt(at);
  }
  assertEquals(bases, [0x1000, 0x20_0000, 0x4000_0000]);
});

Deno.test("Tlb that caches a page again takes all of the new entry", () => {
  const tlb = new Tlb({ sets: 2, ways: 4 });
  fill(tlb, 0, 1);
  const at = tlb.find(0, 0x1000, 0);
  assertStrictEquals(tlb.insert(0, 0x1000, 0, SMALL | RIGHT_WRITE, 0x7000, 0x12), at);
  assertEquals([at + TLB_RIGHTS, at + TLB_BASE_LO, at + TLB_BASE_HI].map((i) => tlb.words[i]), [
    SMALL | RIGHT_WRITE,
    0x7000,
    0x12,
  ]);
  assertEquals([tlb.size, tlb.words[tlb.find(0, 0, 0) + TLB_RIGHTS]], [2, SMALL]);
});

Deno.test("Tlb finds an entry of a table by any address below it, and by none outside", () => {
  const table: [level: number, inside: [number, number][], outside: [number, number][]][] = [
    [2, [[0, 0x20_0000], [0, 0x3f_ffff]], [[0, 0x40_0000], [1, 0x20_0000]]],
    [3, [[0, 0x4000_0000], [0, 0x7fff_ffff]], [[0, 0x3fff_ffff], [4, 0x4000_0000]]],
    [4, [[0x80, 0], [0xff, -1]], [[0x7f, -1], [0x100, 0], [-0x80, 0]]],
    [5, [[0x1_0000, 0], [0x1_ffff, -1]], [[0xffff, -1], [0x2_0000, 0], [-0x1_0000, 0]]],
  ];
  for (const [level, inside, outside] of table) {
    const tlb = new Tlb();
    tlb.insertAt(level, ...inside[0]!, 0, 0, 0, 0);
    for (const [hi, lo] of inside) assertStrictEquals(tlb.findAt(level, hi, lo, 0) >= 0, true, `${level}`);
    for (const [hi, lo] of outside) assertStrictEquals(tlb.findAt(level, hi, lo, 0), -1, `${level}`);
    for (const other of [1, 2, 3, 4, 5]) {
      if (other !== level) assertStrictEquals(tlb.findAt(other, ...inside[0]!, 0), -1, `${other}`);
    }
  }
});

Deno.test("Tlb counts entries of tables of both halves of the address space by level", () => {
  for (const level of [2, 3, 4, 5]) {
    for (const hi of [0, 0x7f_ffff, -1, -0x80_0000]) {
      const tlb = new Tlb();
      const at = tlb.insertAt(level, hi, 0, 0, 0, 0, 0);
      assertEquals([tlb.findAt(level, hi, 0, 0), tlb.live[level], tlb.size], [at, 1, 1], `${level} ${hi}`);
      tlb.dropAt(at);
      assertEquals([tlb.findAt(level, hi, 0, 0), tlb.live[level], tlb.size], [-1, 0, 0], `${level} ${hi}`);
    }
  }
});

Deno.test("Tlb.dropPageKeepingGlobal() drops pages of every size", () => {
  for (const size of [SMALL, LARGE, HUGE]) {
    const tlb = new Tlb();
    tlb.insert(0, 0x4000_0000, 1, size, 0, 0);
    tlb.insert(0, 0x4000_0000, 2, size, 0, 0);
    tlb.dropPageKeepingGlobal(0, 0x4000_0000, 1);
    assertEquals([tlb.find(0, 0x4000_0000, 1), tlb.find(0, 0x4000_0000, 2) >= 0, tlb.size], [-1, true, 1]);
  }
});

Deno.test("Tlb.dropPageKeepingGlobal() keeps a page of another size with the same number", () => {
  const tlb = new Tlb();
  tlb.insert(0, 5 * 2 ** 12, 1, SMALL, 0, 0);
  tlb.insert(0, 5 * 2 ** 21, 1, LARGE, 0, 0);
  tlb.dropPageKeepingGlobal(0, 5 * 2 ** 12, 1);
  assertEquals([tlb.find(0, 5 * 2 ** 12, 1), tlb.find(0, 5 * 2 ** 21, 1) >= 0], [-1, true]);
});

Deno.test("Tlb that grows ends with a million entries: from there on one makes way for another", () => {
  const rows: [ways: number, grows: boolean, pcids: number, kept: number, capacity: number][] = [
    [8, true, 8, 8, 2 ** 19],
    [8, true, 9, 9, 2 ** 20],
    [8, false, 9, 8, 2 ** 19],
    [16, true, 17, 16, 2 ** 20],
    [8, true, 18, 16, 2 ** 20],
  ];
  for (const [ways, grows, pcids, kept, capacity] of rows) {
    const tlb = new Tlb({ sets: 65536, ways, grows });
    for (let pcid = 0; pcid < pcids; pcid++) tlb.insert(0, 0xffff_f000 | 0, pcid, SMALL, 0, 0);
    assertEquals([tlb.size, tlb.capacity], [kept, capacity], `${ways} ways`);
    const found = Array.from({ length: pcids }, (_, pcid) => tlb.find(0, 0xffff_f000 | 0, pcid) >= 0);
    assertEquals(found, found.map((_, pcid) => pcid >= pcids - kept), "the oldest went");
  }
});

Deno.test("Tlb that grows gets more ways while most of it is empty, else more sets", () => {
  const table: [rule: string, pages: number, pcids: number, sets: number, ways: number][] = [
    ["control: full", 8, 1, 4, 2],
    ["one page more", 9, 1, 8, 2],
    ["a quarter of it: sets, and the set is as full as before: ways", 1, 3, 8, 4],
    ["a page of many PCIDs", 1, 5, 8, 8],
    ["many pages", 33, 1, 32, 2],
  ];
  for (const [rule, pages, pcids, sets, ways] of table) {
    const tlb = new Tlb({ sets: 4, ways: 2, grows: true });
    for (let page = 0; page < pages; page++) {
      for (let pcid = 0; pcid < pcids; pcid++) tlb.insert(0, page << 12, pcid, SMALL, page << 12, pcid);
    }
    assertEquals([tlb.setMask + 1, tlb.ways, tlb.size], [sets, ways, pages * pcids], rule);
    for (let pcid = 0; pcid < pcids; pcid++) {
      const at = tlb.find(0, 0, pcid);
      assertEquals([at >= 0, tlb.words[at + TLB_BASE_HI]], [true, pcid], rule);
    }
    tlb.dropNonGlobal();
    assertEquals([tlb.size, tlb.capacity], [0, sets * ways], rule);
  }
});

Deno.test("Tlb that has grown grows again when its last set is full", () => {
  const tlb = new Tlb({ sets: 4, ways: 2, grows: true });
  fill(tlb, 0, 1, 2, 3, 4, 5, 6, 7, 8);
  assertEquals([tlb.setMask, tlb.ways], [7, 2]);
  for (const pcid of [1, 2, 3]) tlb.insert(0, 0x7000, pcid, SMALL, 0, 0);
  assertEquals([0, 1, 2, 3].map((pcid) => tlb.find(0, 0x7000, pcid) >= 0), [true, true, true, true]);
  assertEquals([cached(tlb, 12), tlb.size], [[0, 1, 2, 3, 4, 5, 6, 7, 8], 12]);
});
