/**
 * `vm_normal_page` on an architecture without a bit for special entries, and the words of its reports.
 *
 * @cite linux 6.1 mm/memory.c vm_normal_page
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../../../lib/core/geometry.ts";
import { mm6_1 } from "../../../../lib/linux/mm/flavour_6_1.ts";
import { noForeignPages } from "../../../../lib/linux/mm/foreign_none.ts";
import { gupFastGeneric } from "../../../../lib/linux/mm/gup_fast/generic.ts";
import { vmNormalPage } from "../../../../lib/linux/mm/memory.ts";
import { nativeLinux } from "../../../../lib/linux/mm/native.ts";
import { Vma } from "../../../../lib/linux/mm/vma.ts";
import {
  VM_MAYWRITE,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_READ,
  VM_SHARED,
} from "../../../../lib/linux/mm/vm_flags.ts";
import { NO_PAGE, NOT_SUPPLIED } from "../../../../lib/linux/mm/vm_ops.ts";
import { findSpecialPage } from "../../../../lib/linux/xen/foreign/find_special_page.ts";
import { _PAGE_PRESENT, _PAGE_SPECIAL, _PAGE_USER } from "../../../../lib/x86/pte.ts";

const NR_PAGES = 256;
const START = 0x10000;
/** The VMA's first page is number 0x30 of its object, so 0x31 is in order at its second. */
const PGOFF = 0x30;
const IN_ORDER = 0x31;
const PTE = _PAGE_PRESENT | _PAGE_USER;
const COW = VM_READ | VM_MAYWRITE;

function look(vmFlags: number, frame: number | "zero", hasPteSpecial: boolean, flags = PTE) {
  const flavour = { ...mm6_1, gupFast: gupFastGeneric, foreign: noForeignPages, hasPteSpecial };
  const linux = nativeLinux({ frames: NR_PAGES, flavour });
  const vma = new Vma(linux.process(), START, START + 4 * PAGE, vmFlags, PGOFF, null, null);
  const page = vmNormalPage(vma, START + PAGE, frame === "zero" ? linux.system.zeroPage : frame, flags);
  const name = page === NO_PAGE ? "NULL" : page === linux.system.zeroPage ? "zero" : page;
  return { page: name, log: linux.system.log.map(({ text }) => text) };
}

const BEYOND = "Bad page map at 0x11000: entry frame 0x100 flags 0x5: pfn 0x100 has no struct page";

// deno-fmt-ignore
const RULES: readonly [rule: string, vmFlags: number, frame: number | "zero", page: number | "NULL" | "zero", log?: string][] = [
  ["control: ordinary memory", COW, 0x20, 0x20],
  ["ordinary memory whose pfn happens to be in order", VM_READ, IN_ORDER, IN_ORDER],
  ["ordinary memory, the page of zeros", COW, "zero", "NULL"],
  ["ordinary memory, last page there is", COW, NR_PAGES - 1, NR_PAGES - 1],
  ["ordinary memory, beyond the last page", COW, NR_PAGES, "NULL", BEYOND],
  ["mixed map with a struct page", COW | VM_MIXEDMAP, 0x20, 0x20],
  ["mixed map with a struct page, in order", COW | VM_MIXEDMAP, IN_ORDER, IN_ORDER],
  ["mixed map without a struct page", COW | VM_MIXEDMAP, NR_PAGES, "NULL"],
  ["mixed map, the page of zeros", COW | VM_MIXEDMAP, "zero", "zero"],
  ["raw pfns, private, in order", COW | VM_PFNMAP, IN_ORDER, "NULL"],
  ["raw pfns, private, out of order: a copy", COW | VM_PFNMAP, 0x20, 0x20],
  ["raw pfns, private, off by one below", COW | VM_PFNMAP, IN_ORDER - 1, IN_ORDER - 1],
  ["raw pfns, shared, in order", COW | VM_SHARED | VM_PFNMAP, IN_ORDER, "NULL"],
  ["raw pfns, shared, out of order", COW | VM_SHARED | VM_PFNMAP, 0x20, "NULL"],
  ["raw pfns, never writable, out of order", VM_READ | VM_PFNMAP, 0x20, "NULL"],
];

for (const [rule, vmFlags, frame, page, log] of RULES) {
  Deno.test(`vmNormalPage() without a special bit, row: ${rule}`, () => {
    assertEquals(look(vmFlags, frame, false), { page, log: log === undefined ? [] : [log] });
    // Bit 9 of the entry means nothing there.
    if (log === undefined) assertEquals(look(vmFlags, frame, false, PTE | _PAGE_SPECIAL), { page, log: [] });
  });
}

Deno.test("vmNormalPage() says why it reports", () => {
  assertEquals(look(COW, NR_PAGES, true).log, [BEYOND]);
  assertEquals(look(COW, 0x20, true, PTE | _PAGE_SPECIAL).log, [
    "Bad page map at 0x11000: entry frame 0x20 flags 0x205: special entry in a VMA without special pages",
  ]);
});

Deno.test("findSpecialPage() leaves a VMA alone whose driver supplies no page", () => {
  // It looks at no kernel.
  const scheme = findSpecialPage(null as never);
  const mm = nativeLinux({ frames: NR_PAGES }).process();
  const answers = [null, { name: "driver" }, { name: "driver", findSpecialPage: () => 0x30 }].map((ops) => {
    const vma = new Vma(mm, START, START + 4 * PAGE, VM_READ, 0, null, null);
    Object.assign(vma, { ops });
    return scheme.mm.specialPage(vma, START + PAGE);
  });
  assertEquals(answers, [NOT_SUPPLIED, NOT_SUPPLIED, 0x30]);
  // Nothing is overridden: no machine frame has a pfn of this kernel.
  assertEquals([scheme.name, scheme.overridePfn(0x20 as never)], ["find_special_page", -1] as unknown[]);
});
