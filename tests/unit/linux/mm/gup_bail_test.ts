/**
 * One row for each reason of the fast walk to give up that needs more than an ordinary mapping: who overtakes the walk,
 * which page it is, at which level the entry lies.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  FOLL_ANON,
  FOLL_FAST_ONLY,
  FOLL_GET,
  FOLL_LONGTERM,
  FOLL_PIN,
  FOLL_TOUCH,
  FOLL_WRITE,
  forkMm,
  getUserPages,
  getUserPagesFast,
  getUserPagesRemote,
  gupFastGeneric,
  gupFastResult,
  largeLeafLevel,
  lookupSlot,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_HUGETLB,
  MAP_PRIVATE,
  mm6_1,
  mmap,
  type MmFlavour,
  type MmStruct,
  mprotect,
  munmap,
  nativeLinux,
  noForeignPages,
  PG_dirty,
  PG_dirty_tracked,
  PG_movable,
  PG_referenced,
  PG_secretmem,
  PG_truncated,
  pinCount,
  pkeyAlloc,
  pkeyMprotect,
  rawFlags,
  rawFrame,
  releaseUserPages,
  userAccess,
  VM_MIXEDMAP,
  VM_PFNMAP,
  vmNormalPage,
} from "../../../../lib/linux/mm/mod.ts";
import { allocSlot, allocTablePage } from "../../../../lib/linux/mm/pgtable.ts";
import { _PAGE_DEVMAP, _PAGE_PSE, _PAGE_SPECIAL } from "../../../../lib/x86/pte.ts";

const BASE = 0x1000_0000_0000;
const PINW = FOLL_PIN | FOLL_WRITE;

function machine(changes: Partial<MmFlavour> = {}): MmStruct {
  const flavour = { ...mm6_1, gupFast: gupFastGeneric, foreign: noForeignPages, ...changes };
  const mm = nativeLinux({ frames: 8192, hugePages: 2, flavour }).process();
  mmap(mm, { address: BASE, length: 4 * 4096, prot: 3, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED });
  for (let page = 0; page < 4; page++) userAccess(mm, 0, BASE + page * 4096, "w", page);
  return mm;
}

function pageAt(mm: MmStruct, address: number): number {
  return rawFrame(mm.system, lookupSlot(mm, address));
}

/** The reason, and how many pages were found before it. */
function walk(mm: MmStruct, gupFlags: number, start = BASE, nrPages = 4): [string | null, number] {
  const out = gupFastResult();
  gupFastGeneric.walk(mm, start, nrPages, gupFlags, out);
  return [out.bail, out.pages.length];
}

const THIRD = BASE + 2 * 4096;

Deno.test("the generic fast walker names the page that it must not have", () => {
  const LONG = PINW | FOLL_LONGTERM;
  type Row = [
    rule: string,
    flag: number,
    gupFlags: number,
    pins: MmFlavour["gupFilePins"],
    bail: string | null,
  ];
  const table: Row[] = [
    ["control", 0, LONG, "memory files", null],
    ["a page that must stay movable", PG_movable, LONG, "any file", "page-grab-failed"],
    ["… is fine for a short pin", PG_movable, PINW, "any file", null],
    ["secret memory", PG_secretmem, FOLL_GET, "any file", "page-secretmem"],
    ["truncated, long-term write", PG_truncated, LONG, "memory files", "page-truncated"],
    ["truncated, in 6.1", PG_truncated, LONG, "any file", null],
    ["truncated, long-term read", PG_truncated, FOLL_PIN | FOLL_LONGTERM, "memory files", null],
    ["dirty-tracked, long-term write", PG_dirty_tracked, LONG, "memory files", "file-longterm"],
    ["dirty-tracked, short pin", PG_dirty_tracked, PINW, "memory files", null],
    ["dirty-tracked, in 6.1", PG_dirty_tracked, LONG, "any file", null],
  ];
  for (const [rule, flag, gupFlags, gupFilePins, bail] of table) {
    const mm = machine({ gupFilePins });
    mm.system.memMap.flags[pageAt(mm, THIRD)]! |= flag;
    assertEquals(walk(mm, gupFlags), [bail, bail === null ? 4 : 2], rule);
  }
});

Deno.test("the generic fast walker stops at device memory", () => {
  const mm = machine();
  const slot = lookupSlot(mm, THIRD);
  mm.system.pv.setPteFlags(slot, rawFlags(mm.system, slot) | _PAGE_DEVMAP);
  assertEquals(walk(mm, FOLL_GET), ["pte-devmap", 2]);
});

Deno.test("a fork that runs, or ran meanwhile, costs the fast walk all its pins", () => {
  const table: [
    rule: string,
    gupFlags: number,
    before: number,
    during: number,
    expected: [string | null, number],
  ][] = [
    ["control", PINW, 0, 0, [null, 4]],
    ["running", PINW, 1, 0, ["fork-running", 0]],
    ["running, no pin", FOLL_GET, 1, 0, [null, 4]],
    ["meanwhile", PINW, 0, 2, ["fork-meanwhile", 0]],
    ["meanwhile, no pin", FOLL_GET, 0, 2, [null, 4]],
  ];
  for (const [rule, gupFlags, before, during, expected] of table) {
    const mm = machine();
    mm.writeProtectSeq += before;
    mm.system.gupRace = (point) => {
      if (point === "walked") mm.writeProtectSeq += during;
    };
    assertEquals(walk(mm, gupFlags), expected, rule);
    if (expected[1] === 0) assertEquals(pinCount(mm.system, pageAt(mm, BASE)), 0, rule);
  }
});

Deno.test("a real fork between reading and finishing is noticed, and the slow path pins", () => {
  const mm = machine();
  let hasForked = false;
  mm.system.gupRace = (point) => {
    if (point !== "walked" || hasForked) return;
    hasForked = true;
    forkMm(mm);
  };
  const got = getUserPagesFast(mm, BASE, 4, PINW);
  if (!got.ok) throw new Error(got.errno);
  assertEquals([got.value.bail, got.value.nrFast, got.value.pages.length], ["fork-meanwhile", 0, 4]);
  assertEquals(got.value.pages.map((page) => pinCount(mm.system, page)), [1, 1, 1, 1]);
});

Deno.test("an entry that changes under the walk is not taken", () => {
  const mm = machine();
  let entries = 0;
  mm.system.gupRace = (point) => {
    if (point === "entry read" && ++entries === 3) munmap(mm, THIRD, 4096);
  };
  const page = pageAt(mm, THIRD);
  assertEquals(walk(mm, FOLL_GET), ["page-grab-failed", 2]);
  assertEquals(mm.system.memMap.refcount[page], 0);
  const other = machine();
  entries = 0;
  other.system.gupRace = (point) => {
    if (point === "entry read" && ++entries === 3) mprotect(other, THIRD, 4096, 1);
  };
  assertEquals(walk(other, PINW), ["pte-changed", 2]);
});

Deno.test("leaves of 2 MiB and 1 GiB obey the same rules", () => {
  const huge = 0x2000_0000_0000;
  const mm = machine();
  mmap(mm, {
    address: huge,
    length: 2 ** 21,
    prot: 3,
    flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB,
  });
  assertEquals(walk(mm, FOLL_GET, huge), ["no-table", 0]);
  userAccess(mm, 0, huge, "r");
  assertEquals(walk(mm, FOLL_GET, huge + 510 * 4096), ["no-table", 2]);
  assertEquals(walk(mm, PINW, huge), ["pte-not-permitted", 0]);
  userAccess(mm, 0, huge, "w", 1);
  assertEquals(walk(mm, PINW, huge), [null, 4]);
  forkMm(mm);
  assertEquals(walk(mm, FOLL_PIN, huge), ["must-unshare", 0]);
  mprotect(mm, huge, 2 ** 21, 0);
  assertEquals(walk(mm, FOLL_GET, huge), ["pte-protnone", 0]);
  // A leaf of 1 GiB, put there by hand: no call makes one.
  const giant = 0x3000_0000_0000;
  const page = allocTablePage(mm, 3);
  const slot = allocSlot(mm, giant, 3);
  mm.system.pv.setPte(slot, page - page % 512, 0x67 | _PAGE_PSE);
  mm.system.memMap.refcount[page - page % 512] = 1;
  assertEquals(largeLeafLevel(mm, giant), 3);
  assertEquals(walk(mm, FOLL_GET, giant, 1), [null, 1]);
  mm.system.pv.setPteFlags(slot, 0x67 | _PAGE_PSE | _PAGE_SPECIAL);
  assertEquals(walk(mm, FOLL_GET, giant, 1), ["pte-special", 0]);
});

Deno.test("the slow path keeps the rules of flags and VMAs", () => {
  const mm = machine();
  const answer = (result: ReturnType<typeof getUserPages>) => result.ok ? result.value.length : result.errno;
  assertEquals(answer(getUserPages(mm, BASE, 6, FOLL_GET)), 4, "as many as there are");
  assertEquals(answer(getUserPages(mm, BASE + 2 ** 30, 1, FOLL_GET)), "EFAULT");
  pkeyAlloc(mm, 0, 1);
  pkeyMprotect(mm, THIRD, 4096, 3, 1);
  assertEquals(answer(getUserPages(mm, THIRD, 1, FOLL_GET)), "EFAULT", "the key denies the thread");
  assertEquals(answer(getUserPagesRemote(mm, THIRD, 1, FOLL_GET)), 1, "but nobody else");
  mm.system.memMap.flags[pageAt(mm, BASE)]! |= PG_movable;
  assertEquals(answer(getUserPages(mm, BASE, 1, FOLL_PIN | FOLL_LONGTERM)), "ENOMEM");
  const vma = mm.vmas.lookup(BASE)!;
  vma.ops = { name: "secret", isSecret: true };
  assertEquals(answer(getUserPages(mm, BASE, 1, FOLL_GET)), "EFAULT", "secret memory");
  vma.ops = { name: "file" };
  assertEquals(answer(getUserPages(mm, BASE, 1, FOLL_GET | FOLL_ANON)), "EFAULT", "not anonymous");
  assertEquals(getUserPagesFast(mm, BASE, 1, FOLL_TOUCH), { ok: false, errno: "EINVAL" });
  const fastOnly = getUserPagesFast(mm, BASE, 6, FOLL_GET | FOLL_FAST_ONLY);
  assertEquals(fastOnly.ok && fastOnly.value.pages.length, 2, "up to the page with a key");
  vma.ops = { name: "ext4", isDirtyTracked: true };
  const strict = machine({ gupFilePins: "memory files" });
  strict.vmas.lookup(BASE)!.ops = vma.ops;
  assertEquals(answer(getUserPages(strict, BASE, 1, PINW | FOLL_LONGTERM)), "EFAULT", "file rule");
  assertEquals(answer(getUserPages(strict, BASE, 1, PINW)), 1);
});

Deno.test("the slow path marks pages it hands out, and pins count", () => {
  const mm = machine();
  const page = pageAt(mm, BASE);
  const got = getUserPages(mm, BASE, 1, PINW);
  if (!got.ok) throw new Error(got.errno);
  const marks = PG_dirty | PG_referenced;
  assertEquals([mm.system.memMap.flags[page]! & marks, pinCount(mm.system, page), mm.hasPinned], [
    marks,
    1,
    true,
  ]);
  releaseUserPages(mm, got.value, PINW);
  assertEquals(pinCount(mm.system, page), 0);
});

Deno.test("vmNormalPage() without a bit for special entries judges by the VMA", () => {
  const mm = machine({ hasPteSpecial: false });
  const vma = mm.vmas.lookup(BASE)!;
  const page = pageAt(mm, BASE);
  const invalid = mm.system.memMap.nrPages + 5;
  const plain = vma.flags;
  const SHARED_RO = plain & ~0x20; // without MAYWRITE: not copied on write
  type Row = [rule: string, flags: number, pgoff: number, frame: number, answer: number, reports: number];
  const table: Row[] = [
    ["ordinary", plain, 0, page, page, 0],
    ["ordinary, no struct", plain, 0, invalid, -1, 1],
    ["page of zeros", plain, 0, mm.system.zeroPage, -1, 0],
    ["mixed, with a struct", plain | VM_MIXEDMAP, 0, page, page, 0],
    ["mixed, without", plain | VM_MIXEDMAP, 0, invalid, -1, 0],
    ["raw pfns in order", plain | VM_PFNMAP, page, page, -1, 0],
    ["raw pfns, a private copy", plain | VM_PFNMAP, page + 1, page, page, 0],
    ["raw pfns, not copied on write", SHARED_RO | VM_PFNMAP, page + 1, page, -1, 0],
  ];
  for (const [rule, flags, pgoff, frame, answer, reports] of table) {
    vma.flags = flags;
    vma.pgoff = pgoff;
    mm.system.log.length = 0;
    for (const bit of [0, _PAGE_SPECIAL]) {
      assertEquals(vmNormalPage(vma, BASE, frame, 0x67 | bit), answer, rule);
    }
    assertEquals(mm.system.log.length, 2 * reports, rule);
  }
});

Deno.test("the walk over plain entries counts and takes what the watched walk takes", () => {
  const results = [false, true].map((isWatched) => {
    const mm = machine();
    mprotect(mm, THIRD + 4096, 4096, 1);
    const { trace, memMap } = mm.system;
    if (isWatched) trace.sink = { event() {}, enter() {}, leave() {} };
    const mark = trace.mark();
    const reason = walk(mm, PINW);
    const out = getUserPagesFast(mm, BASE, 3, PINW);
    if (!out.ok) throw new Error(out.errno);
    const pinned = out.value.pages.map((page) => memMap.refcount[page]);
    releaseUserPages(mm, out.value.pages, PINW);
    const left = out.value.pages.map((page) => memMap.refcount[page]);
    return { reason, pinned, left, counts: trace.since(mark) };
  });
  assertEquals(results[0], results[1]);
  assertEquals(results[0]!.reason, ["pte-not-permitted", 3]);
  assertEquals(results[0]!.pinned, [2049, 2049, 2049]);
  assertEquals(results[0]!.left, [1025, 1025, 1025]);
  assertEquals(results[0]!.counts.gup_fast_pte, 7);
});

Deno.test("releaseUserPages() frees a page whose last reference it gives", () => {
  const mm = machine();
  const got = getUserPagesFast(mm, BASE, 2, PINW);
  if (!got.ok) throw new Error(got.errno);
  const { memMap } = mm.system;
  munmap(mm, BASE, 4096);
  const free = memMap.nrFree;
  releaseUserPages(mm, got.value.pages, PINW);
  assertEquals([memMap.nrFree - free, memMap.refcount[got.value.pages[1]!]], [1, 1]);
});
