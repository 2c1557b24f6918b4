import { Rng } from "../../../../lib/core/rng.ts";
import { PAGE_SIZE } from "../../../../lib/core/geometry.ts";
import { Vma, VmaTree } from "../../../../lib/linux/mm/mod.ts";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { machine } from "./support.ts";

const { mm } = machine();
const vma = (start: number, end: number): Vma =>
  new Vma(mm, start * PAGE_SIZE, end * PAGE_SIZE, 0, 0, null, null);
const pages = (v: Vma | null): string => v === null ? "-" : `${v.start / PAGE_SIZE}-${v.end / PAGE_SIZE}`;

Deno.test("VmaTree answers neighbours and look-ups on both sides of every border", () => {
  const tree = new VmaTree();
  const [a, b, c] = [vma(2, 4), vma(4, 6), vma(8, 9)];
  for (const v of [c, a, b]) tree.insert(v);
  const table: [page: number, find: string, lookup: string, lastBelow: string][] = [
    [0, "2-4", "-", "-"],
    [2, "2-4", "2-4", "-"],
    [3, "2-4", "2-4", "2-4"],
    [4, "4-6", "4-6", "2-4"],
    [5, "4-6", "4-6", "4-6"],
    [6, "8-9", "-", "4-6"],
    [8, "8-9", "8-9", "4-6"],
    [9, "-", "-", "8-9"],
  ];
  for (const [page, find, lookup, below] of table) {
    const address = page * PAGE_SIZE;
    assertEquals([pages(tree.find(address)), pages(tree.lookup(address)), pages(tree.lastBelow(address))], [
      find,
      lookup,
      below,
    ], `page ${page}`);
  }
  assertStrictEquals(tree.prev(b), a);
  assertStrictEquals(tree.next(b), c);
  assertEquals([pages(tree.prev(a)), pages(tree.next(c))], ["-", "-"]);
});

Deno.test("VmaTree refuses what would break its order", () => {
  const tree = new VmaTree();
  const [a, b] = [vma(2, 4), vma(6, 8)];
  tree.insert(a);
  tree.insert(b);
  for (const [start, end] of [[1, 3], [3, 5], [2, 4], [0, 9]]) {
    assertThrows(() => tree.insert(vma(start!, end!)), RangeError, "Cannot insert");
  }
  assertThrows(() => tree.remove(vma(2, 4)), RangeError, "it is not in this tree");
  assertThrows(() => tree.setBounds(a, 2 * PAGE_SIZE, 7 * PAGE_SIZE), RangeError, "reaches into a neighbour");
  assertThrows(() => tree.setBounds(a, 4 * PAGE_SIZE, 4 * PAGE_SIZE), RangeError, "is empty");
  tree.setBounds(a, PAGE_SIZE, 6 * PAGE_SIZE);
  assertEquals([...tree].map(pages), ["1-6", "6-8"]);
});

Deno.test("VmaTree agrees with a sorted array over a long history with many chunks", () => {
  const tree = new VmaTree();
  const plain = new Map<number, Vma>();
  const rng = new Rng(7);
  for (let step = 0; step < 6000; step++) {
    const page = rng.below(1500) * 2;
    const there = plain.get(page);
    if (there === undefined) {
      const v = vma(page, page + 1);
      tree.insert(v);
      plain.set(page, v);
    } else if (rng.below(3) > 0) {
      tree.remove(there);
      plain.delete(page);
    } else {
      tree.setBounds(there, there.start, (page + 1 + rng.below(2)) * PAGE_SIZE);
    }
  }
  const sorted = [...plain.values()].sort((x, y) => x.start - y.start);
  assertEquals(tree.size, sorted.length);
  assertEquals([...tree].map(pages), sorted.map(pages));
  for (let page = 0; page < 3002; page++) {
    const address = page * PAGE_SIZE;
    assertStrictEquals(tree.find(address), sorted.find((v) => v.end > address) ?? null, `page ${page}`);
  }
});

Deno.test("VmaTree takes at most 64 bytes of index for a VMA, in whatever order they come", () => {
  const n = 20_000;
  const rng = new Rng(3);
  const shuffled = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  const orders: Record<string, (i: number) => number> = {
    "upwards": (i) => i,
    "downwards": (i) => n - 1 - i,
    "shuffled": (i) => shuffled[i]!,
  };
  for (const [name, order] of Object.entries(orders)) {
    const tree = new VmaTree();
    for (let i = 0; i < n; i++) tree.insert(vma(order(i) * 2 + 2, order(i) * 2 + 3));
    const perVma = tree.bytesHeld / n;
    assertEquals([tree.size, perVma >= 16, perVma <= 64], [n, true, true], `${name}: ${perVma} bytes`);
  }
});
