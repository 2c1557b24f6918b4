/**
 * `vm_normal_page` under the three designs, and zap.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../../../lib/core/geometry.ts";
import { world } from "../../../../lib/experiments/world.ts";
import type { MmForeignHooks } from "../../../../lib/linux/mm/flavour.ts";
import { mm6_1 } from "../../../../lib/linux/mm/flavour_6_1.ts";
import { noForeignPages } from "../../../../lib/linux/mm/foreign_none.ts";
import { gupFastGeneric } from "../../../../lib/linux/mm/gup_fast/generic.ts";
import { ptePresent, vmNormalPage, zapPageRange } from "../../../../lib/linux/mm/memory.ts";
import { mmap } from "../../../../lib/linux/mm/mmap.ts";
import { munmap } from "../../../../lib/linux/mm/munmap.ts";
import { nativeLinux } from "../../../../lib/linux/mm/native.ts";
import { PG_dirty } from "../../../../lib/linux/mm/page.ts";
import { allocSlot, rawFlags, rawFrame } from "../../../../lib/linux/mm/pgtable.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../../lib/linux/mm/prot.ts";
import { userAccess } from "../../../../lib/linux/mm/user_access.ts";
import { Vma } from "../../../../lib/linux/mm/vma.ts";
import { VM_MIXEDMAP, VM_PFNMAP, VM_READ } from "../../../../lib/linux/mm/vm_flags.ts";
import { NO_PAGE } from "../../../../lib/linux/mm/vm_ops.ts";
import { findSpecialPage } from "../../../../lib/linux/xen/foreign/find_special_page.ts";
import { vmaPagesSeed } from "../../../../lib/linux/xen/foreign/vma_pages_seed.ts";
import { readGrantEntry } from "../../../../lib/xen/grant_access.ts";
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_PROTNONE,
  _PAGE_RW,
  _PAGE_SPECIAL,
  _PAGE_USER,
} from "../../../../lib/x86/pte.ts";

const NR_PAGES = 256;
const PTE = _PAGE_PRESENT | _PAGE_USER | _PAGE_RW;
const SPECIAL = PTE | _PAGE_SPECIAL;

// None of them looks at its kernel.
const DESIGNS: Readonly<Record<"i" | "ii" | "iii", MmForeignHooks>> = {
  i: noForeignPages,
  ii: vmaPagesSeed(null as never).mm,
  iii: findSpecialPage(null as never).mm,
};

type Answer = number | "zero page" | "NULL" | "report";

interface Rule {
  readonly rule: string;
  readonly flags: number;
  /** Frame of the entry; "zero" for the page of zeros. */
  readonly frame: number | "zero";
  readonly vmFlags: number;
  /** What the VMA supplies for its second page: a page, nothing for this page, or no such thing at all. */
  readonly supplies?: number;
  readonly i: Answer;
  readonly ii: Answer;
  readonly iii: Answer;
}

const M = VM_READ | VM_MIXEDMAP;

// deno-fmt-ignore
const RULES: readonly Rule[] = [
  { rule: "7 control: an ordinary entry", flags: PTE, frame: 0x20, vmFlags: VM_READ, i: 0x20, ii: 0x20, iii: 0x20 },
  { rule: "1 not special, although the VMA supplies pages", flags: PTE, frame: 0x20, vmFlags: M, supplies: 0x30, i: 0x20, ii: 0x20, iii: 0x20 },
  { rule: "2 special and supplied", flags: SPECIAL, frame: 0x20, vmFlags: M, supplies: 0x30, i: "NULL", ii: 0x30, iii: 0x30 },
  { rule: "2 before 3: supplied under PFNMAP", flags: SPECIAL, frame: 0x20, vmFlags: VM_PFNMAP, supplies: 0x30, i: "NULL", ii: 0x30, iii: 0x30 },
  { rule: "2 before 5: supplied without a flag", flags: SPECIAL, frame: 0x20, vmFlags: VM_READ, supplies: 0x30, i: "report", ii: 0x30, iii: 0x30 },
  { rule: "2 before 4: supplied for the zero page", flags: SPECIAL, frame: "zero", vmFlags: VM_READ, supplies: 0x30, i: "NULL", ii: 0x30, iii: 0x30 },
  { rule: "2 supplied, but the slot is empty: as is", flags: SPECIAL, frame: 0x20, vmFlags: VM_READ, supplies: NO_PAGE, i: "report", ii: "NULL", iii: "NULL" },
  { rule: "3 special in a PFNMAP", flags: SPECIAL, frame: 0x20, vmFlags: VM_PFNMAP, i: "NULL", ii: "NULL", iii: "NULL" },
  { rule: "3 special in a MIXEDMAP", flags: SPECIAL, frame: 0x20, vmFlags: M, i: "NULL", ii: "NULL", iii: "NULL" },
  { rule: "4 special, the page of zeros", flags: SPECIAL, frame: "zero", vmFlags: VM_READ, i: "NULL", ii: "NULL", iii: "NULL" },
  { rule: "5 special otherwise", flags: SPECIAL, frame: 0x20, vmFlags: VM_READ, i: "report", ii: "report", iii: "report" },
  { rule: "6 last page there is", flags: PTE, frame: NR_PAGES - 1, vmFlags: VM_READ, i: NR_PAGES - 1, ii: NR_PAGES - 1, iii: NR_PAGES - 1 },
  { rule: "6 beyond the last page", flags: PTE, frame: NR_PAGES, vmFlags: VM_READ, i: "report", ii: "report", iii: "report" },
  { rule: "7 the page of zeros, not special", flags: PTE, frame: "zero", vmFlags: VM_READ, i: "zero page", ii: "zero page", iii: "zero page" },
  { rule: "7 not special in a MIXEDMAP", flags: PTE, frame: 0x20, vmFlags: M, i: 0x20, ii: 0x20, iii: 0x20 },
];

for (const row of RULES) {
  for (const design of ["i", "ii", "iii"] as const) {
    Deno.test(`vmNormalPage() design (${design}), row ${row.rule}`, () => {
      const flavour = { ...mm6_1, gupFast: gupFastGeneric, foreign: DESIGNS[design] };
      const linux = nativeLinux({ frames: NR_PAGES, flavour });
      const { system, trace } = linux;
      const vma = new Vma(linux.process(), 0x10000, 0x10000 + 4 * PAGE, row.vmFlags, 0, null, null);
      if (row.supplies !== undefined && design === "ii") {
        vma.ext = { pages: { array: Int32Array.of(0x77, row.supplies), first: 0 } };
      }
      if (row.supplies !== undefined && design === "iii") {
        vma.ops = {
          name: "driver",
          findSpecialPage: (_vma, address) => address === 0x10000 + PAGE ? row.supplies! : 0x77,
        };
      }
      const frame = row.frame === "zero" ? system.zeroPage : row.frame;
      const page = vmNormalPage(vma, 0x10000 + PAGE, frame, row.flags);
      const reported = system.log.some(({ where }) => where === "print_bad_pte");
      const answer = page === NO_PAGE
        ? reported ? "report" : "NULL"
        : page === system.zeroPage
        ? "zero page"
        : page;
      assertEquals(answer, row[design]);
      const isLookedUp = (row.flags & _PAGE_SPECIAL) !== 0 && row.supplies !== undefined && design !== "i";
      assertEquals(trace.count("special_lookup"), isLookedUp ? 1 : 0);
    });
  }
}

for (
  const [given, flags, present] of [
    ["PRESENT", _PAGE_PRESENT, true],
    ["PROT_NONE", _PAGE_PROTNONE, true],
    ["neither", _PAGE_ACCESSED | _PAGE_SPECIAL | _PAGE_RW, false],
    ["empty", 0, false],
  ] as const
) {
  Deno.test(`ptePresent() looks at raw flags: ${given}`, () => assertEquals(ptePresent(flags), present));
}

function anonymous(pages: number) {
  const linux = nativeLinux({ frames: NR_PAGES });
  const mm = linux.process();
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const at = mmap(mm, { length: pages * PAGE, prot: PROT_READ | PROT_WRITE, flags });
  if (!at.ok) throw new Error(at.errno);
  return { mm, start: at.value, ...linux.system, system: linux.system };
}

Deno.test("zapPageRange() gives back map count and reference, and leaves the neighbours", () => {
  const { mm, start, memMap, system } = anonymous(3);
  const pages = [0, 1, 2].map((i) => {
    userAccess(mm, 0, start + i * PAGE, "w", 1);
    return rawFrame(system, allocSlot(mm, start + i * PAGE));
  });
  zapPageRange(mm.vmas.lookup(start)!, start + PAGE, start + 2 * PAGE);
  assertEquals(pages.map((page) => [memMap.refcount[page], memMap.pageMapcount(page)]), [[1, 1], [0, 0], [
    1,
    1,
  ]]);
  assertEquals(rawFlags(system, allocSlot(mm, start + PAGE)), 0);
  assertEquals([(memMap.flags[pages[1]!]! & PG_dirty) !== 0, system.log], [true, []]);
});

Deno.test("zapPageRange() keeps a page alive that somebody holds", () => {
  const { mm, start, memMap, system } = anonymous(1);
  userAccess(mm, 0, start, "w", 1);
  const page = rawFrame(system, allocSlot(mm, start));
  memMap.getPage(page);
  const free = memMap.nrFree;
  zapPageRange(mm.vmas.lookup(start)!, start, start + PAGE);
  assertEquals([memMap.refcount[page], memMap.pageMapcount(page), memMap.nrFree], [1, 0, free]);
  memMap.putPage(page);
  assertEquals(memMap.nrFree, free + 1);
});

Deno.test("zapPageRange() clears the page of zeros without accounting", () => {
  const { mm, start, memMap, system, zeroPage } = anonymous(1);
  userAccess(mm, 0, start, "r");
  const before = [memMap.refcount[zeroPage], memMap.mapcount[zeroPage]];
  zapPageRange(mm.vmas.lookup(start)!, start, start + PAGE);
  assertEquals([memMap.refcount[zeroPage], memMap.mapcount[zeroPage]], before);
  assertEquals([rawFlags(system, allocSlot(mm, start)), system.log], [0, []]);
});

Deno.test("zapPageRange() passes over address space without tables", () => {
  const { mm, start, system } = anonymous(1);
  userAccess(mm, 0, start, "w", 1);
  const vma = new Vma(mm, start - 2 ** 32, start + PAGE, VM_READ, 0, null, null);
  zapPageRange(vma, vma.start, vma.end);
  assertEquals(rawFlags(system, allocSlot(mm, start)), 0);
});

Deno.test("zapPageRange() reports a page that was never counted as mapped", () => {
  const { mm, start, memMap, system } = anonymous(1);
  const page = memMap.allocPage();
  system.pv.setPte(allocSlot(mm, start), page, PTE | _PAGE_DIRTY);
  munmap(mm, start, PAGE);
  assertEquals(system.log.map(({ kind, where }) => [kind, where]), [["bad-page-map", "print_bad_pte"]]);
  assertEquals(memMap.refcount[page], 0);
});

for (const design of ["seed2014", "vma_pages_v1", "linux4_0", "linux6_1"]) {
  Deno.test(`${design}: a special entry that survives to zap is a "Bad page map" and a leaked pin`, () => {
    const w = world({ kernel: design });
    const p = w.process();
    const { start } = p.mmapGrants(w.guest.grant(3));
    // The notifier is deaf, as it was for split mappings before October 2022.
    p.mm.notifiers.length = 0;
    p.munmap(start + PAGE, PAGE);
    const { log } = w.kernel.system;
    assertEquals(log.map(({ kind }) => kind), ["bad-page-map"]);
    assertEquals(w.hv.leaks.map(({ ref, mfn }) => [ref, mfn]), [[9, 0x711]]);
    assertEquals([8, 9, 10].map((ref) => readGrantEntry(w.guest.domain, ref).flags), [0x19, 0x19, 0x19]);
  });
}
