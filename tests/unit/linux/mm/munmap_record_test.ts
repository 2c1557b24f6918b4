/**
 * What munmap records, counts and owes beside its effect: the rule that refused, locks, entries looked at, flushes.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { PAGE } from "../../../../lib/core/geometry.ts";
import { explainCall, munmap, TASK_SIZE_MAX, userAccess, type Vma } from "../../../../lib/linux/mm/mod.ts";
import { unmapRegion } from "../../../../lib/linux/mm/munmap.ts";
import { VM_MIXEDMAP, VM_PFNMAP } from "../../../../lib/linux/mm/vm_flags.ts";
import { at, bytes, drawn, machine, map } from "./support.ts";

Deno.test("munmap() names the rule that refuses", () => {
  const table: [rule: string, address: number, length: number, where: string, what: string][] = [
    ["unaligned", at(0) + 1, PAGE, "do_mas_munmap", "the address is on no page boundary: EINVAL"],
    [
      "too long by a byte",
      at(0),
      TASK_SIZE_MAX - at(0) + 1,
      "do_mas_munmap",
      "the range leaves user space: EINVAL",
    ],
    ["starts beyond", TASK_SIZE_MAX + PAGE, 0, "do_mas_munmap", "the range leaves user space: EINVAL"],
    ["starts at the end", TASK_SIZE_MAX, 0, "do_mas_munmap", "the length is 0: EINVAL"],
    ["length 0", at(0), 0, "do_mas_munmap", "the length is 0: EINVAL"],
    [
      "a hole at the limit",
      at(1),
      PAGE,
      "do_mas_align_munmap",
      "a hole needs one more VMA than the 1 that a process may have: ENOMEM",
    ],
  ];
  for (const [rule, address, length, where, what] of table) {
    const { mm } = machine();
    map(mm, 0, 4);
    mm.maxMapCount = 1;
    munmap(mm, address, length);
    const call = explainCall(mm);
    assertEquals([call.call, call.decisions.at(-1)], ["munmap", { where, what }] as unknown[], rule);
  }
});

Deno.test("munmap() counts its lock, its look-up and its writes of the tree", () => {
  const table: [rule: string, page: number, pages: number, expected: Record<string, number>, left: string][] =
    [
      [
        "a VMA",
        0,
        4,
        { mmap_lock: 1, vma_find: 1, vma_tree_prealloc: 7, vma_tree_write: 1 },
        "8-12 rw-p ....",
      ],
      ["only a gap", 4, 4, { mmap_lock: 1, vma_find: 1 }, "0-4 rw-p ....|8-12 rw-p ...."],
    ];
  for (const [rule, page, pages, expected, left] of table) {
    const { mm, linux } = machine();
    map(mm, 0, 4);
    map(mm, 8, 4);
    const mark = linux.trace.mark();
    munmap(mm, at(page), bytes(pages));
    const counted = linux.trace.since(mark);
    const kinds = ["mmap_lock", "vma_find", "vma_tree_prealloc", "vma_tree_write"] as const;
    assertEquals(
      Object.fromEntries(
        kinds.filter((kind) => counted[kind] !== undefined).map((kind) => [kind, counted[kind]]),
      ),
      expected,
      rule,
    );
    assertEquals(drawn(mm), left, rule);
  }
});

Deno.test("unmapRegion() looks at each entry of a table once", () => {
  const { mm, linux } = machine();
  map(mm, 0, 7);
  userAccess(mm, 0, at(3), "w", 1);
  const mark = linux.trace.mark();
  munmap(mm, at(0), bytes(7));
  assertEquals(linux.trace.since(mark).pte_scan, 7);
});

Deno.test("unmapRegion() lists pages that wait for the flush: eight for nothing, then a page for the list", () => {
  for (const [touched, lists] of [[8, 0], [9, 1]] as const) {
    const { mm, linux } = machine();
    map(mm, 0, 16);
    map(mm, 16, 1);
    userAccess(mm, 0, at(16), "w", 1); // keeps the tables
    for (let page = 0; page < touched; page++) userAccess(mm, 0, at(page), "w", 1);
    const mark = linux.trace.mark();
    munmap(mm, at(0), bytes(16));
    assertEquals(linux.trace.since(mark).page_alloc ?? 0, lists, `${touched} pages`);
  }
});

Deno.test("munmap() says which of its arguments is no number of 64 bits", () => {
  const { mm } = machine();
  assertThrows(() => munmap(mm, 0.5, PAGE), TypeError, "an address");
  assertThrows(() => munmap(mm, 0, 0.5), TypeError, "a length");
});

for (
  const [given, flag, invlpgs] of [
    ["ordinary memory: once, for one range with the gap in it", 0, [3]],
    ["raw pfns: before the next VMA", VM_PFNMAP, [1, 2]],
    ["mixed map: before the next VMA", VM_MIXEDMAP, [1, 2]],
  ] as const
) {
  Deno.test(`unmapRegion() flushes, ${given}`, () => {
    const { mm, linux } = machine();
    map(mm, 0, 1);
    map(mm, 2, 1);
    map(mm, 4, 1);
    // The last one keeps the tables.
    for (const page of [0, 2, 4]) userAccess(mm, 0, at(page), "w", 1);
    const vmas = [at(0), at(2)].map((address) => mm.vmas.lookup(address) as Vma);
    for (const vma of vmas) {
      vma.flags |= flag;
      mm.vmas.remove(vma);
    }
    const { pv } = linux.system;
    const { flushTlbRange } = pv;
    const mark = linux.trace.mark();
    const seen: number[] = [];
    Object.assign(pv, {
      flushTlbRange(...args: Parameters<typeof flushTlbRange>) {
        flushTlbRange(...args);
        seen.push(linux.trace.since(mark).invlpg ?? 0);
      },
    });
    unmapRegion(mm, vmas, at(0), at(3));
    assertEquals(seen.filter((count, i) => count !== seen[i - 1]) as unknown, invlpgs);
  });
}
