/**
 * The generic fast walker takes plain entries in a loop of its own, unless somebody watches. Row by row, both ways stop at
 * the same entry for the same reason, with the same pages, references and counts.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  FOLL_GET,
  FOLL_LONGTERM,
  FOLL_PIN,
  FOLL_WRITE,
  gupFastGeneric,
  gupFastResult,
  lookupSlot,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  mm6_1,
  mmap,
  type MmStruct,
  mprotect,
  munmap,
  nativeLinux,
  noForeignPages,
  PG_anon_exclusive,
  PG_movable,
  PG_secretmem,
  pkeyAlloc,
  pkeyMprotect,
  rawFlags,
  rawFrame,
  userAccess,
} from "../../../../lib/linux/mm/mod.ts";
import { _PAGE_DEVMAP, _PAGE_SPECIAL, _PAGE_USER } from "../../../../lib/x86/pte.ts";

const BASE = 0x1000_0000_0000;
const THIRD = BASE + 2 * 4096;
const GET = FOLL_GET;
const PIN = FOLL_PIN;
const PINW = FOLL_PIN | FOLL_WRITE;
const READ = 1;

/** Four anonymous pages that were written. */
function machine(): MmStruct {
  const flavour = { ...mm6_1, gupFast: gupFastGeneric, foreign: noForeignPages };
  const mm = nativeLinux({ frames: 8192, hugePages: 2, flavour }).process();
  mmap(mm, { address: BASE, length: 4 * 4096, prot: 3, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED });
  for (let page = 0; page < 4; page++) userAccess(mm, 0, BASE + page * 4096, "w", page);
  return mm;
}

const slotOf = (mm: MmStruct) => lookupSlot(mm, THIRD);
const pageOf = (mm: MmStruct) => rawFrame(mm.system, slotOf(mm));
const flip = (mm: MmStruct, flag: number) =>
  mm.system.pv.setPteFlags(slotOf(mm), rawFlags(mm.system, slotOf(mm)) ^ flag);
const mark = (mm: MmStruct, flag: number) => mm.system.memMap.flags[pageOf(mm)]! ^= flag;
const point = (mm: MmStruct, page: number) =>
  mm.system.pv.setPte(slotOf(mm), page, rawFlags(mm.system, slotOf(mm)));
const key = (mm: MmStruct, denied: number) => {
  pkeyAlloc(mm, 0, denied);
  pkeyMprotect(mm, THIRD, 4096, 3, 1);
};

type Row = [rule: string, given: (mm: MmStruct) => unknown, gupFlags: number, bail: string | null];

/** What is given to the third page stops the walk there, or does not. */
const ROWS: Row[] = [
  ["control", () => {}, GET, null],
  ["control, pinned", () => {}, PIN, null],
  ["control, pinned for writing", () => {}, PINW, null],
  ["nothing there", (mm) => munmap(mm, THIRD, 4096), GET, "pte-not-permitted"],
  ["read-only, referenced", (mm) => mprotect(mm, THIRD, 4096, READ), GET, null],
  [
    "read-only, referenced for writing",
    (mm) => mprotect(mm, THIRD, 4096, READ),
    GET | FOLL_WRITE,
    "pte-not-permitted",
  ],
  ["read-only, pinned", (mm) => mprotect(mm, THIRD, 4096, READ), PIN, null],
  ["read-only, pinned for writing", (mm) => mprotect(mm, THIRD, 4096, READ), PINW, "pte-not-permitted"],
  [
    "read-only and shared, pinned",
    (mm) => (mark(mm, PG_anon_exclusive), mprotect(mm, THIRD, 4096, READ)),
    PIN,
    "must-unshare",
  ],
  [
    "read-only and shared, referenced",
    (mm) => (mark(mm, PG_anon_exclusive), mprotect(mm, THIRD, 4096, READ)),
    GET,
    null,
  ],
  ["writable and shared, pinned", (mm) => mark(mm, PG_anon_exclusive), PIN, null],
  ["the kernel's", (mm) => flip(mm, _PAGE_USER), GET, "pte-not-permitted"],
  ["special", (mm) => flip(mm, _PAGE_SPECIAL), GET, "pte-special"],
  ["of a device", (mm) => flip(mm, _PAGE_DEVMAP), GET, "pte-devmap"],
  ["special, of a device", (mm) => flip(mm, _PAGE_DEVMAP | _PAGE_SPECIAL), GET, "pte-devmap"],
  ["a key that permits", (mm) => key(mm, 0), PINW, null],
  ["a key that forbids all", (mm) => key(mm, 1), GET, "pte-not-permitted"],
  ["a key that forbids writes, read", (mm) => key(mm, 2), GET, null],
  ["a key that forbids writes, written", (mm) => key(mm, 2), GET | FOLL_WRITE, "pte-not-permitted"],
  ["a page without references", (mm) => mm.system.memMap.refcount[pageOf(mm)] = 0, GET, "page-grab-failed"],
  ["no page: the first number beyond", (mm) => point(mm, mm.system.memMap.nrPages), GET, "page-grab-failed"],
  ["movable, short pin", (mm) => mark(mm, PG_movable), PINW, null],
  ["movable, long-term pin", (mm) => mark(mm, PG_movable), PINW | FOLL_LONGTERM, "page-grab-failed"],
  ["secret memory", (mm) => mark(mm, PG_secretmem), GET, "page-secretmem"],
];

for (const [rule, given, gupFlags, bail] of ROWS) {
  Deno.test(`both ways of the fast walker answer ${bail ?? "four pages"}: ${rule}`, () => {
    const results = [false, true].map((isWatched) => {
      const mm = machine();
      given(mm);
      const { trace, memMap } = mm.system;
      if (isWatched) trace.sink = { event() {}, enter() {}, leave() {} };
      const before = memMap.refcount.slice();
      const start = trace.mark();
      const out = gupFastResult();
      gupFastGeneric.walk(mm, BASE, 4, gupFlags, out);
      const taken = out.pages.map((page) => memMap.refcount[page]! - before[page]!);
      return { out, taken, counts: trace.since(start) };
    });
    assertEquals(results[0], results[1]);
    const { out, taken, counts } = results[0]!;
    const pages = bail === null ? 4 : 2;
    assertEquals([out.bail, taken], [bail, Array(pages).fill((gupFlags & FOLL_PIN) !== 0 ? 1024 : 1)]);
    assertEquals([counts.gup_fast_pte, counts.refcount], [bail === null ? 4 : 3, pages]);
  });
}

Deno.test("the fast walker counts references of a huge page at its head, entry by entry", () => {
  const mm = machine();
  const { memMap } = mm.system;
  const head = memMap.firstHugePage;
  memMap.refcount[head] = 1;
  point(mm, head + 7);
  const out = gupFastResult();
  gupFastGeneric.walk(mm, BASE, 4, GET, out);
  assertEquals([out.bail, out.pages.length, out.pages[2]], [null, 4, head + 7]);
  assertEquals([memMap.refcount[head], memMap.refcount[head + 7]], [2, 0]);
});
