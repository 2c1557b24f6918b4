/**
 * Every call that cuts, makes or fills VMAs, at the limit of their number and with each allocation of it failing in turn:
 * the errno, and what is left. Linux leaves a first cut where the second one fails, and the hole where the mapping that
 * should fill it cannot be made; nothing else stays half done.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { SysResult } from "../../../../lib/core/errno.ts";
import {
  brk,
  dupMm,
  MADV,
  madvise,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_POPULATE,
  MAP_PRIVATE,
  mlock,
  mlock2,
  mmap,
  type MmStruct,
  mprotect,
  mremap,
  munlock,
  munmap,
  type NativeLinux,
  pkeyAlloc,
  pkeyMprotect,
  userAccess,
} from "../../../../lib/linux/mm/mod.ts";
import { assertSound, at, bytes, drawn, machine, map } from "./support.ts";

type Failure =
  /** This allocation of a VMA structure fails, counted from 0. */
  | { readonly vma: number }
  /** This allocation of a page fails. */
  | { readonly page: number }
  /** `vm.max_map_count`. */
  | { readonly limit: number };

interface Row {
  readonly call: string;
  readonly run: (mm: MmStruct) => SysResult<unknown>;
  readonly failing: Failure;
  readonly answer: string;
  readonly left: string;
}

const ALL = "0-6 rw-p AAAAAA";
const CUT = "0-2 rw-p AA|2-6 rw-p AAAA";
const HOLE = "0-2 rw-p AA|4-6 rw-p AA";
const FIXED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

/** Six pages, written to. Page tables beyond the first 2 MiB are missing. */
function six(): { linux: NativeLinux; mm: MmStruct } {
  const { linux, mm } = machine();
  map(mm, 0, 6);
  for (let page = 0; page < 6; page++) userAccess(mm, 0, at(page), "w", 10 + page);
  return { linux, mm };
}

const remap = (mm: MmStruct, page: number, from: number, to: number, flags: number, target = 0) =>
  mremap(mm, {
    address: at(page),
    oldLength: bytes(from),
    newLength: bytes(to),
    flags,
    ...(target > 0 ? { newAddress: at(target) } : {}),
  });

/** Calls that change a part of a VMA: nothing for the first cut, the first cut stays, the same at the limit. */
function cutting(call: string, run: (mm: MmStruct) => SysResult<unknown>, errno = "ENOMEM"): Row[] {
  return [
    { call, run, failing: { vma: 0 }, answer: errno, left: ALL },
    { call, run, failing: { vma: 1 }, answer: errno, left: CUT },
    { call, run, failing: { limit: 1 }, answer: errno, left: ALL },
    { call, run, failing: { limit: 2 }, answer: errno, left: CUT },
  ];
}

const FLAG_ADVICE = [
  "RANDOM",
  "SEQUENTIAL",
  "DONTFORK",
  "WIPEONFORK",
  "DONTDUMP",
  "MERGEABLE",
  "HUGEPAGE",
  "NOHUGEPAGE",
] as const;

const TABLE: Row[] = [
  ...cutting("mprotect", (mm) => mprotect(mm, at(2), bytes(2), 1)),
  ...cutting("pkey_mprotect", (mm) => {
    const key = pkeyAlloc(mm, 0, 0);
    return pkeyMprotect(mm, at(2), bytes(2), 3, key.ok ? key.value : -1);
  }),
  ...cutting("mlock", (mm) => mlock(mm, at(2), bytes(2))),
  ...cutting("mlock2", (mm) => mlock2(mm, at(2), bytes(2), 1)),
  ...FLAG_ADVICE.flatMap((name) =>
    cutting(`madvise ${name}`, (mm) => madvise(mm, at(2), bytes(2), MADV[name]), "EAGAIN")
  ),
  ...([
    [{ vma: 0 }, "ENOMEM", ALL],
    [{ vma: 1 }, "ENOMEM", CUT],
    [{ limit: 1 }, "ENOMEM", ALL],
    [{ limit: 2 }, "0", HOLE],
  ] as const).map(([failing, answer, left]) => ({
    call: "munmap in the middle",
    run: (mm: MmStruct) => munmap(mm, at(2), bytes(2)),
    failing,
    answer,
    left,
  })),
  ...([
    [{ vma: 0 }, "ENOMEM", ALL],
    [{ limit: 1 }, "0", "2-6 rw-p AAAA"], // only a hole makes more VMAs than there were
  ] as const).map(([failing, answer, left]) => ({
    call: "munmap of the head",
    run: (mm: MmStruct) => munmap(mm, at(0), bytes(2)),
    failing,
    answer,
    left,
  })),
  ...([
    [{ vma: 0 }, "ENOMEM", ALL],
    [{ vma: 1 }, "ENOMEM", CUT],
    [{ vma: 2 }, "ENOMEM", HOLE], // what was there before is gone
    [{ limit: 0 }, "ENOMEM", ALL],
    [{ limit: 1 }, "ENOMEM", ALL],
    [{ limit: 2 }, "ok", "0-2 rw-p AA|2-4 r--p ..|4-6 rw-p AA"], // mmap itself asks before the cuts: one too many
  ] as const).map(([failing, answer, left]) => ({
    call: "mmap over the middle",
    run: (mm: MmStruct) => mmap(mm, { address: at(2), length: bytes(2), prot: 1, flags: FIXED }),
    failing,
    answer,
    left,
  })),
  ...([
    [{ page: 0 }, "ok", `${ALL}|600-602 rw-p ..`], // no table: pages that cannot be had are no error of mmap
    [{ page: 1 }, "ok", `${ALL}|600-602 rw-p ..`],
    [{ page: 2 }, "ok", `${ALL}|600-602 rw-p A.`],
    [{ page: 3 }, "ok", `${ALL}|600-602 rw-p AA`], // control: three allocations are all
  ] as const).map(([failing, answer, left]) => ({
    call: "mmap with MAP_POPULATE",
    run: (mm: MmStruct) =>
      mmap(mm, { address: at(600), length: bytes(2), prot: 3, flags: FIXED | MAP_POPULATE }),
    failing,
    answer,
    left,
  })),
  ...([
    [{ vma: 0 }, "ENOMEM", ALL], // no copy
    [{ vma: 1 }, "ok", "0-6 rw-p AA..AA|10-12 rw-p AA"], // moved; the old range cannot be cut out and stays, empty
    [{ vma: 2 }, "ok", "0-2 rw-p AA|2-6 rw-p ..AA|10-12 rw-p AA"],
    [{ limit: 6 }, "ENOMEM", ALL], // it asks for room for two cuts at the target and three at the source
    [{ limit: 7 }, "ok", "0-2 rw-p AA|4-6 rw-p AA|10-12 rw-p AA"],
  ] as const).map(([failing, answer, left]) => ({
    call: "mremap of the middle",
    run: (mm: MmStruct) => remap(mm, 2, 2, 2, 3, 10),
    failing,
    answer,
    left,
  })),
  {
    call: "mremap to where a table is missing",
    run: (mm) => remap(mm, 2, 2, 2, 3, 600),
    failing: { page: 0 },
    answer: "ENOMEM",
    left: ALL, // entries come back
  },
  {
    call: "mremap shrinks",
    run: (mm) => remap(mm, 0, 6, 4, 0),
    failing: { vma: 0 },
    answer: "ENOMEM",
    left: ALL,
  },
  {
    call: "mremap grows in place",
    run: (mm) => remap(mm, 0, 6, 8, 0),
    failing: { vma: 0 },
    answer: "ok",
    left: "0-8 rw-p AAAAAA..",
  },
  {
    call: "mremap with MREMAP_DONTUNMAP",
    run: (mm) => remap(mm, 0, 6, 6, 5),
    failing: { vma: 0 },
    answer: "ENOMEM",
    left: ALL,
  },
  {
    call: "fork",
    run: dupMm,
    failing: { vma: 0 },
    answer: "ENOMEM",
    left: ALL,
  },
  ...[0, 1, 2, 3, 4].map((page): Row => ({
    call: "fork",
    run: dupMm,
    failing: { page },
    answer: "ENOMEM",
    left: ALL,
  })).slice(0, 4),
];

function inject({ linux, mm }: { linux: NativeLinux; mm: MmStruct }, failing: Failure): void {
  if ("limit" in failing) {
    mm.maxMapCount = failing.limit;
    return;
  }
  let left = "vma" in failing ? failing.vma : failing.page;
  const fails = () => left-- === 0;
  if ("vma" in failing) linux.system.failVmaAllocation = fails;
  else linux.system.memMap.failAllocation = fails;
}

for (const { call, run, failing, answer, left } of TABLE) {
  Deno.test(`${call} with ${JSON.stringify(failing)} answers ${answer} and leaves ${left}`, () => {
    const { linux, mm } = six();
    inject({ linux, mm }, failing);
    const result = run(mm);
    linux.system.failVmaAllocation = null;
    linux.system.memMap.failAllocation = null;
    const said = result.ok ? (result.value === 0 ? "0" : "ok") : result.errno;
    assertEquals([said, drawn(mm)], [answer, left]);
    assertSound(linux, mm, ...[...linux.system.addressSpaces].filter((other) => other !== mm));
    assertEquals(linux.system.log, []);
  });
}

Deno.test("munlock cannot cut either", () => {
  for (const [failing, left] of [[{ vma: 0 }, ALL], [{ vma: 1 }, CUT], [{ limit: 1 }, ALL]] as const) {
    const { linux, mm } = six();
    mlock(mm, at(0), bytes(6));
    inject({ linux, mm }, failing);
    const result = munlock(mm, at(2), bytes(2));
    assertEquals([result.ok ? "0" : result.errno, drawn(mm)], ["ENOMEM", left]);
    assertSound(linux, mm);
  }
});

Deno.test("mlock answers EAGAIN for a page that cannot be had, and the range stays locked", () => {
  const { linux, mm } = machine();
  map(mm, 0, 4);
  inject({ linux, mm }, { page: 4 });
  const result = mlock(mm, at(0), bytes(4));
  assertEquals(result.ok ? "0" : result.errno, "EAGAIN");
  assertSound(linux, mm);
});

Deno.test("brk answers the old end where the heap cannot be cut or made", () => {
  const { linux, mm } = machine();
  const start = brk(mm, 0);
  linux.system.failVmaAllocation = () => true;
  assertEquals(brk(mm, start + bytes(4)), start);
  linux.system.failVmaAllocation = null;
  assertEquals(brk(mm, start + bytes(4)), start + bytes(4));
  linux.system.failVmaAllocation = () => true;
  assertEquals(brk(mm, start + bytes(2)), start + bytes(4));
  assertEquals(brk(mm, start + bytes(6)), start + bytes(6)); // the VMA grows, nothing is allocated
  linux.system.failVmaAllocation = null;
  assertEquals(mm.vmas.size, 1);
  assertSound(linux, mm);
});
