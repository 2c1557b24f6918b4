/**
 * Zap, entry by entry: which entries go, what they give back, how the loop finds its tables.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE, PMD_SIZE } from "../../../../lib/core/geometry.ts";
import { zapPageRange, zapPte } from "../../../../lib/linux/mm/memory.ts";
import type { MmStruct } from "../../../../lib/linux/mm/mm_struct.ts";
import { nativeLinux } from "../../../../lib/linux/mm/native.ts";
import { PG_anon, PG_dirty } from "../../../../lib/linux/mm/page.ts";
import { allocSlot, rawFlags, rawFrame } from "../../../../lib/linux/mm/pgtable.ts";
import { Vma } from "../../../../lib/linux/mm/vma.ts";
import { VM_PFNMAP, VM_READ } from "../../../../lib/linux/mm/vm_flags.ts";
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_SPECIAL,
  _PAGE_USER,
} from "../../../../lib/x86/pte.ts";

const PTE = _PAGE_PRESENT | _PAGE_USER;
const START = 0x4000_0000;

function machine(vmFlags = VM_READ, start = START, end = START + 4 * PAGE) {
  const linux = nativeLinux({ frames: 256 });
  const mm = linux.process();
  const vma = new Vma(mm, start, end, vmFlags, 0, null, null);
  return { ...linux, mm, vma, memMap: linux.system.memMap };
}

/** A page of this kernel at an address; somebody else holds it, too. */
function mapPage(mm: MmStruct, address: number, pageFlags: number, flags = PTE): number {
  const { memMap, pv } = mm.system;
  const page = memMap.allocPage();
  memMap.getPage(page);
  memMap.mapcount[page] = 0;
  memMap.flags[page] = pageFlags;
  pv.setPte(allocSlot(mm, address), page, flags);
  return page;
}

interface Case {
  readonly rule: string;
  readonly flags: number;
  /** Flags of the page; null: a frame that has no page. */
  readonly page: number | null;
  readonly evenCows?: boolean;
  readonly vmFlags?: number;
  /** Reads of a present entry; whether it goes; whether its page is dirty afterwards. */
  readonly reads: number;
  readonly goes: boolean;
  readonly dirty: boolean;
}

// deno-fmt-ignore
const CASES: readonly Case[] = [
  { rule: "control: a clean page", flags: PTE, page: 0, reads: 1, goes: true, dirty: false },
  { rule: "a dirty entry makes its page dirty", flags: PTE | _PAGE_DIRTY, page: 0, reads: 1, goes: true, dirty: true },
  { rule: "an anonymous page goes unless told otherwise", flags: PTE, page: PG_anon, reads: 1, goes: true, dirty: false },
  { rule: "an anonymous page stays where private copies do", flags: PTE, page: PG_anon, evenCows: false, reads: 1, goes: false, dirty: false },
  { rule: "a file's page goes where private copies stay", flags: PTE, page: 0, evenCows: false, reads: 1, goes: true, dirty: false },
  { rule: "no page goes where private copies stay", flags: PTE | _PAGE_SPECIAL, page: null, evenCows: false, vmFlags: VM_PFNMAP, reads: 1, goes: true, dirty: false },
  { rule: "an entry without a page goes, and nothing else happens", flags: PTE | _PAGE_SPECIAL | _PAGE_DIRTY, page: null, vmFlags: VM_PFNMAP, reads: 1, goes: true, dirty: false },
  { rule: "what is not present stays", flags: _PAGE_ACCESSED | _PAGE_USER, page: null, reads: 0, goes: false, dirty: false },
];

for (const { rule, flags, page: pageFlags, evenCows, vmFlags, reads, goes, dirty } of CASES) {
  Deno.test(`zapPte() row: ${rule}`, () => {
    const { mm, vma, memMap, system, trace } = machine(vmFlags);
    const page = pageFlags === null ? null : mapPage(mm, START, pageFlags, flags);
    const slot = allocSlot(mm, START);
    if (page === null) {
      // Stored by hand: an operation would drop the frame of an entry that is not present.
      system.mem.words[slot] = 0x5000_0000 | flags & 0xfff;
    }
    const mark = trace.mark();
    assertEquals(zapPte(vma, START, slot, evenCows), false);
    const { pte_read = 0 } = trace.since(mark);
    assertEquals({ pte_read, goes: rawFlags(system, slot) === 0 }, { pte_read: reads, goes });
    assertEquals(system.log, []);
    if (page === null) {
      assertEquals(trace.since(mark), goes ? { normal_page: 1, pte_read: 1, pte_write: 1 } : {});
      return;
    }
    assertEquals([memMap.refcount[page], memMap.pageMapcount(page)], goes ? [1, 0] : [2, 1]);
    assertEquals((memMap.flags[page]! & PG_dirty) !== 0, dirty);
  });
}

for (
  const [given, tables] of [
    ["tables on both sides", [-2, -1, 0, 1]],
    ["no table below", [0, 1]],
    ["no table above", [-2, -1]],
  ] as const
) {
  Deno.test(`zapPageRange() over the end of a table: ${given}`, () => {
    const edge = START + PMD_SIZE;
    const { mm, vma, memMap, system } = machine(VM_READ, edge - 2 * PAGE, edge + 2 * PAGE);
    // From the last one on: then tables do not follow each other in memory.
    const pages = [...tables].reverse().map((i) => mapPage(mm, edge + i * PAGE, 0));
    zapPageRange(vma, vma.start, vma.end);
    for (const page of pages) assertEquals([memMap.refcount[page], memMap.pageMapcount(page)], [1, 0]);
    for (const i of tables) assertEquals(rawFlags(system, allocSlot(mm, edge + i * PAGE)), 0);
  });
}

for (
  const [given, isCounted, expected] of [
    ["nothing to report", true, ["enter", "leave"]],
    // A page that was never counted as mapped is reported; a second one follows it.
    ["a report", false, ["enter", "leave", "yield", "enter", "leave"]],
  ] as const
) {
  Deno.test(`zapPageRange() yields outside of lazy MMU mode: ${given}`, () => {
    const { mm, vma, memMap, system } = machine();
    const page = mapPage(mm, START, 0);
    mapPage(mm, START + PAGE, 0);
    if (!isCounted) memMap.mapcount[page] = -1;
    const seen: string[] = [];
    Object.assign(system.pv, {
      enterLazyMmu: () => void seen.push("enter"),
      leaveLazyMmu: () => void seen.push("leave"),
    });
    Object.assign(system, { condResched: () => void seen.push("yield") });
    zapPageRange(vma, vma.start, vma.end);
    assertEquals(seen as unknown, expected);
    assertEquals([rawFrame(system, allocSlot(mm, START)), rawFlags(system, allocSlot(mm, START + PAGE))], [
      0,
      0,
    ]);
    const messages = system.log.map(({ text }) => text);
    assertEquals(
      messages,
      isCounted ? [] : [
        `Bad page map at 0x40000000: entry frame 0x${page.toString(16)} flags 0x5: page 0x${
          page.toString(16)
        } has mapcount -1`,
      ],
    );
  });
}
