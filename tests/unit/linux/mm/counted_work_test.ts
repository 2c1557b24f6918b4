/** What calls of mm are counted to do besides entries and pages, by release. */

import { assertEquals } from "@std/assert";
import { kernelFlavour } from "../../../../lib/linux/mod.ts";
import {
  exitMmap,
  LruBatch,
  madvise,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  mmap,
  type MmStruct,
  mprotect,
  mremap,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  munmap,
  nativeLinux,
  noForeignPages,
  PROT_READ,
  PROT_WRITE,
  userAccess,
} from "../../../../lib/linux/mm/mod.ts";
import { type EventKind, Trace } from "../../../../lib/trace/mod.ts";

const P = 0x1200_0000_0000;
const KIB4 = 4096;
const RELEASES = ["linux5_10", "linux6_1", "linux6_12", "linux7_2"] as const;

function process(release: string): MmStruct {
  const flavour = { ...kernelFlavour(release).mm, foreign: noForeignPages };
  return nativeLinux({ frames: 4096, flavour }).process();
}

function map(mm: MmStruct, pages: number): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  mmap(mm, { address: P, length: pages * KIB4, prot: PROT_READ | PROT_WRITE, flags });
}

function touch(mm: MmStruct, pages: number): void {
  for (let i = 0; i < pages; i++) userAccess(mm, 0, P + i * KIB4, "w", 1);
}

const move = (mm: MmStruct, pages: number) =>
  mremap(mm, {
    address: P,
    oldLength: pages * KIB4,
    newLength: pages * KIB4,
    flags: MREMAP_MAYMOVE | MREMAP_FIXED,
    newAddress: P + 2 ** 30,
  });

/** Counts by release: 5.10, 6.1, 6.12, 7.2. */
type ByRelease = readonly [number, number, number, number];

// deno-fmt-ignore
const TABLE: readonly {
  readonly rule: string;
  readonly pages: number;
  readonly isTouched: boolean;
  readonly call: (mm: MmStruct, pages: number) => unknown;
  readonly event: EventKind;
  readonly expected: ByRelease;
}[] = [
  // --- nodes of the tree of VMAs ---
  { rule: "mmap: none, the worst case, what is needed", pages: 0, isTouched: false, call: (mm) => map(mm, 1), event: "vma_tree_prealloc", expected: [0, 7, 1, 1] },
  { rule: "munmap likewise", pages: 1, isTouched: false, call: (mm) => munmap(mm, P, KIB4), event: "vma_tree_prealloc", expected: [0, 7, 1, 1] },
  { rule: "a split twice", pages: 3, isTouched: false, call: (mm) => mprotect(mm, P + KIB4, KIB4, PROT_READ), event: "vma_tree_prealloc", expected: [0, 14, 2, 2] },
  // --- mappings in the account ---
  { rule: "control: no mapping comes or goes", pages: 3, isTouched: false, call: (mm) => mprotect(mm, P + KIB4, KIB4, PROT_READ), event: "vm_account", expected: [0, 0, 0, 0] },
  { rule: "one comes", pages: 0, isTouched: false, call: (mm) => map(mm, 1), event: "vm_account", expected: [1, 1, 1, 1] },
  { rule: "one goes", pages: 1, isTouched: false, call: (mm) => munmap(mm, P, KIB4), event: "vm_account", expected: [1, 1, 1, 1] },
  { rule: "a move: one comes, one goes", pages: 2, isTouched: true, call: move, event: "vm_account", expected: [2, 2, 2, 2] },
  // --- links to an anon_vma ---
  { rule: "control: never touched, no link", pages: 2, isTouched: false, call: (mm) => munmap(mm, P, 2 * KIB4), event: "anon_vma_link", expected: [0, 0, 0, 0] },
  { rule: "the first touch makes it, the second not", pages: 2, isTouched: false, call: touch, event: "anon_vma_link", expected: [1, 1, 1, 1] },
  { rule: "it goes with the VMA", pages: 2, isTouched: true, call: (mm) => munmap(mm, P, 2 * KIB4), event: "anon_vma_link", expected: [1, 1, 1, 1] },
  { rule: "a move makes one and removes one", pages: 2, isTouched: true, call: move, event: "anon_vma_link", expected: [2, 2, 2, 2] },
  // --- batches of munmap ---
  { rule: "munmap sets one up", pages: 1, isTouched: false, call: (mm) => munmap(mm, P, KIB4), event: "tlb_gather", expected: [1, 1, 1, 1] },
  { rule: "mprotect does since 6.1", pages: 1, isTouched: false, call: (mm) => mprotect(mm, P, KIB4, PROT_READ), event: "tlb_gather", expected: [0, 1, 1, 1] },
  { rule: "a move has one, that of the old place", pages: 2, isTouched: true, call: move, event: "tlb_gather", expected: [1, 1, 1, 1] },
  { rule: "control: no page to give back", pages: 1, isTouched: false, call: (mm) => munmap(mm, P, KIB4), event: "tlb_batch", expected: [0, 0, 0, 0] },
  { rule: "8 pages are one list", pages: 8, isTouched: true, call: (mm) => munmap(mm, P, 8 * KIB4), event: "tlb_batch", expected: [1, 1, 1, 1] },
  { rule: "9 pages are two", pages: 9, isTouched: true, call: (mm) => munmap(mm, P, 9 * KIB4), event: "tlb_batch", expected: [2, 2, 2, 2] },
  { rule: "518 pages are two", pages: 518, isTouched: true, call: (mm) => munmap(mm, P, 518 * KIB4), event: "tlb_batch", expected: [2, 2, 2, 2] },
  { rule: "519 pages are three", pages: 519, isTouched: true, call: (mm) => munmap(mm, P, 519 * KIB4), event: "tlb_batch", expected: [3, 3, 3, 3] },
  // --- page tables gone through ---
  { rule: "no table, nothing to go through", pages: 1, isTouched: false, call: (mm) => munmap(mm, P, KIB4), event: "pte_range", expected: [0, 0, 0, 0] },
  { rule: "one table", pages: 512, isTouched: true, call: (mm) => mprotect(mm, P, 512 * KIB4, PROT_READ), event: "pte_range", expected: [1, 1, 1, 1] },
  { rule: "two tables", pages: 513, isTouched: true, call: (mm) => mprotect(mm, P, 513 * KIB4, PROT_READ), event: "pte_range", expected: [2, 2, 2, 2] },
  // --- pages behind entries ---
  { rule: "mprotect asks for each since it changes runs", pages: 5, isTouched: true, call: (mm) => mprotect(mm, P, 5 * KIB4, PROT_READ), event: "normal_page", expected: [0, 0, 0, 5] },
  { rule: "munmap asks for each", pages: 5, isTouched: true, call: (mm) => munmap(mm, P, 5 * KIB4), event: "normal_page", expected: [5, 5, 5, 5] },
  { rule: "mprotect stores an entry once, or takes it out first", pages: 5, isTouched: true, call: (mm) => mprotect(mm, P, 5 * KIB4, PROT_READ), event: "pte_write", expected: [5, 5, 5, 10] },
  // --- pages on their way to a list ---
  { rule: "14 wait", pages: 14, isTouched: false, call: touch, event: "lru_add", expected: [0, 0, 0, 0] },
  { rule: "the 15th fills a batch", pages: 15, isTouched: false, call: touch, event: "lru_add", expected: [15, 15, 0, 0] },
  { rule: "the 31st fills a batch", pages: 31, isTouched: false, call: touch, event: "lru_add", expected: [30, 30, 31, 31] },
  { rule: "what waits is put there before a zap", pages: 4, isTouched: true, call: (mm) => madvise(mm, P, 4 * KIB4, 4), event: "lru_add", expected: [4, 4, 4, 0] },
  { rule: "what waits on is not given back yet", pages: 4, isTouched: true, call: (mm) => madvise(mm, P, 4 * KIB4, 4), event: "page_free", expected: [4, 4, 4, 0] },
  { rule: "the end of a process leaves none waiting", pages: 4, isTouched: true, call: exitMmap, event: "lru_add", expected: [4, 4, 4, 4] },
];

for (const { rule, pages, isTouched, call, event, expected } of TABLE) {
  Deno.test(`${event} is counted as each release does it: ${rule}`, () => {
    const counted = RELEASES.map((release) => {
      const mm = process(release);
      if (pages > 0) map(mm, pages);
      if (isTouched) touch(mm, pages);
      const { trace } = mm.system;
      const before = trace.count(event);
      call(mm, pages);
      return trace.count(event) - before;
    });
    assertEquals(counted, [...expected]);
  });
}

Deno.test("LruBatch gives back pages that went while they waited when it is full", () => {
  const trace = new Trace();
  const batch = new LruBatch(trace, { batch: 3, drainsBeforeZap: false });
  batch.add(7);
  batch.add(8);
  assertEquals([batch.holds(7), batch.holds(7), batch.holds(9)], [true, false, false]);
  batch.beforeZap();
  assertEquals([trace.count("lru_add"), trace.count("page_free")], [0, 0]);
  batch.add(9);
  assertEquals([trace.count("lru_add"), trace.count("page_free")], [3, 1]);
  batch.drain();
  assertEquals(trace.count("lru_add"), 3, "nothing waits any more");
});
