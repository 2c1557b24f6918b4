/**
 * `get_user_pages_fast`: entry checks, the slow path and its errors, references.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { PAGE } from "../../../../lib/core/geometry.ts";
import { world } from "../../../../lib/experiments/world.ts";
import type { MmFlavour } from "../../../../lib/linux/mm/flavour.ts";
import { mm2014 } from "../../../../lib/linux/mm/flavour_2014.ts";
import { mm6_1 } from "../../../../lib/linux/mm/flavour_6_1.ts";
import { noForeignPages } from "../../../../lib/linux/mm/foreign_none.ts";
import { gupFastGeneric } from "../../../../lib/linux/mm/gup_fast/generic.ts";
import { getUserPagesFast, type GupDecision, releaseUserPages } from "../../../../lib/linux/mm/gup.ts";
import {
  FOLL_DUMP,
  FOLL_FAST_ONLY,
  FOLL_FORCE,
  FOLL_GET,
  FOLL_NOFAULT,
  FOLL_PIN,
  FOLL_WRITE,
} from "../../../../lib/linux/mm/gup_flags.ts";
import { TASK_SIZE_MAX } from "../../../../lib/linux/mm/mm_struct.ts";
import { mmap } from "../../../../lib/linux/mm/mmap.ts";
import { mprotect } from "../../../../lib/linux/mm/mprotect.ts";
import { munmap } from "../../../../lib/linux/mm/munmap.ts";
import { nativeLinux } from "../../../../lib/linux/mm/native.ts";
import { PG_anon_exclusive } from "../../../../lib/linux/mm/page.ts";
import { allocSlot, rawFrame } from "../../../../lib/linux/mm/pgtable.ts";
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../../../lib/linux/mm/prot.ts";
import { userAccess } from "../../../../lib/linux/mm/user_access.ts";
import { VM_IO, VM_MIXEDMAP, VM_PFNMAP } from "../../../../lib/linux/mm/vm_flags.ts";

const RW = PROT_READ | PROT_WRITE;
const MODERN: MmFlavour = { ...mm6_1, gupFast: gupFastGeneric, foreign: noForeignPages };
const OLD: MmFlavour = { ...mm2014, foreign: noForeignPages };

function memory(prot = RW, type = MAP_PRIVATE, flavour = MODERN) {
  const linux = nativeLinux({ frames: 256, flavour });
  const mm = linux.process();
  const at = mmap(mm, { length: 4 * PAGE, prot, flags: type | MAP_ANONYMOUS });
  if (!at.ok) throw new Error(at.errno);
  const { memMap } = linux.system;
  const pageAt = (address: number) => rawFrame(linux.system, allocSlot(mm, address));
  return { mm, start: at.value, system: linux.system, trace: linux.trace, memMap, pageAt };
}

type Memory = ReturnType<typeof memory>;

interface Case {
  readonly given: string;
  readonly flags: number;
  readonly memory?: () => Memory;
  readonly prepare?: (m: Memory) => void;
  /** How many pages, and how many of them by the fast walk; or the errno. */
  readonly answer: readonly [pages: number, fast: number] | string;
  readonly nrPages?: number;
}

const touch = (kind: "r" | "w") => ({ mm, start }: Memory) => void userAccess(mm, 0, start, kind, 1);
const setVm = (flag: number) => (m: Memory) => {
  touch("w")(m);
  m.mm.vmas.lookup(m.start)!.flags |= flag;
};

// deno-fmt-ignore
const CASES: readonly Case[] = [
  { given: "control: touched", flags: FOLL_GET | FOLL_WRITE, prepare: touch("w"), answer: [1, 1] },
  { given: "untouched, for writing: faults in", flags: FOLL_GET | FOLL_WRITE, answer: [1, 0] },
  { given: "untouched, for reading: the page of zeros", flags: FOLL_GET, answer: [1, 0] },
  { given: "page of zeros there, for writing: copied", flags: FOLL_GET | FOLL_WRITE, prepare: touch("r"), answer: [1, 0] },
  { given: "untouched, fast only", flags: FOLL_GET | FOLL_FAST_ONLY, answer: [0, 0] },
  { given: "untouched, no fault", flags: FOLL_GET | FOLL_NOFAULT, answer: "EFAULT" },
  { given: "touched, no fault", flags: FOLL_GET | FOLL_NOFAULT, prepare: touch("w"), answer: [1, 1] },
  { given: "one fast, three slow", flags: FOLL_GET, prepare: touch("w"), nrPages: 4, answer: [4, 1] },
  { given: "no page at all", flags: FOLL_GET, nrPages: 0, answer: [0, 0] },
  { given: "one page beyond the mapping: what there is", flags: FOLL_GET, nrPages: 5, answer: [4, 0] },
  { given: "a flag that the entry does not take", flags: FOLL_GET | FOLL_DUMP, prepare: touch("w"), answer: "EINVAL" },
  { given: "a flag that does not exist", flags: FOLL_GET | 1 << 9, prepare: touch("w"), answer: "EINVAL" },
  { given: "nothing mapped", flags: FOLL_GET, prepare: ({ mm, start }) => void munmap(mm, start, 4 * PAGE), answer: "EFAULT" },
  { given: "hole below a VMA", flags: FOLL_GET, prepare: ({ mm, start }) => void munmap(mm, start, PAGE), answer: "EFAULT" },
  { given: "VM_IO", flags: FOLL_GET, prepare: (m) => { m.mm.vmas.lookup(m.start)!.flags |= VM_IO; }, answer: "EFAULT" },
  { given: "VM_PFNMAP", flags: FOLL_GET, prepare: (m) => { m.mm.vmas.lookup(m.start)!.flags |= VM_PFNMAP; }, answer: "EFAULT" },
  { given: "VM_MIXEDMAP passes", flags: FOLL_GET | FOLL_WRITE, prepare: setVm(VM_MIXEDMAP), answer: [1, 1] },
  { given: "read-only, for writing", flags: FOLL_GET | FOLL_WRITE, memory: () => memory(PROT_READ), answer: "EFAULT" },
  { given: "read-only private, forced", flags: FOLL_GET | FOLL_WRITE | FOLL_FORCE, memory: () => memory(PROT_READ), answer: [1, 0] },
  { given: "read-only private with a page, forced", flags: FOLL_GET | FOLL_WRITE | FOLL_FORCE, prepare: (m) => { touch("w")(m); mprotect(m.mm, m.start, PAGE, PROT_READ); }, answer: [1, 0] },
  { given: "read-only shared, forced", flags: FOLL_GET | FOLL_WRITE | FOLL_FORCE, memory: () => memory(PROT_READ, MAP_SHARED), answer: "EFAULT" },
  { given: "no rights", flags: FOLL_GET, memory: () => memory(PROT_NONE), answer: "EFAULT" },
  { given: "no rights, forced", flags: FOLL_GET | FOLL_FORCE, prepare: (m) => { touch("w")(m); mprotect(m.mm, m.start, PAGE, PROT_NONE); }, answer: [1, 0] },
  { given: "execute only, with a page: its key forbids", flags: FOLL_GET, prepare: (m) => { touch("w")(m); mprotect(m.mm, m.start, PAGE, PROT_EXEC); }, answer: "EFAULT" },
  { given: "pin of a page that may be shared: unshared first", flags: FOLL_PIN, prepare: (m) => { touch("w")(m); mprotect(m.mm, m.start, PAGE, PROT_READ); const page = m.pageAt(m.start); m.memMap.flags[page]! &= ~PG_anon_exclusive; m.memMap.getPage(page); }, answer: [1, 0] },
];

for (const { given, flags, memory: make = memory, prepare, answer, nrPages = 1 } of CASES) {
  Deno.test(`getUserPagesFast() answers ${answer}: ${given}`, () => {
    const m = make();
    prepare?.(m);
    const result = getUserPagesFast(m.mm, m.start, nrPages, flags);
    if (!result.ok) return assertEquals(result.errno as unknown, answer);
    const { pages, nrFast } = result.value;
    assertEquals([pages.length, nrFast], answer as unknown as number[]);
    pages.forEach((page, i) => assertEquals(page, m.pageAt(m.start + i * PAGE)));
    // Every reference comes back, those on the page of zeros, too.
    const held = m.memMap.refcount.slice();
    releaseUserPages(m.mm, pages, flags);
    const worth = (flags & FOLL_PIN) !== 0 ? 1024 : 1;
    for (const page of new Set(pages)) {
      const times = pages.filter((other) => other === page).length;
      assertEquals(held[page]! - m.memMap.refcount[page]!, times * worth);
    }
  });
}

for (const flags of [FOLL_GET, FOLL_PIN]) {
  Deno.test(`getUserPagesFast() leaves the references of the page of zeros as they were, flags ${flags}`, () => {
    const m = memory();
    const before = m.memMap.refcount[m.system.zeroPage];
    const result = getUserPagesFast(m.mm, m.start, 2, flags);
    if (!result.ok) throw new Error(result.errno);
    releaseUserPages(m.mm, result.value.pages, flags);
    assertEquals([result.value.pages.length, m.memMap.refcount[m.system.zeroPage]], [2, before] as unknown[]);
  });
}

for (
  const [given, end, answer] of [
    ["ends at the last user page", TASK_SIZE_MAX, "EFAULT of the walk"],
    ["ends one page later", TASK_SIZE_MAX + PAGE, "EFAULT at once"],
  ] as const
) {
  Deno.test(`getUserPagesFast() near the end of user space: ${given}`, () => {
    const m = memory();
    const result = getUserPagesFast(m.mm, end - PAGE, 1, FOLL_GET);
    assertEquals(result, { ok: false, errno: "EFAULT" });
    assertEquals(m.trace.count("mmap_lock") > 1, answer === "EFAULT of the walk");
  });
}

for (const [name, flavour, errno] of [["6.1", MODERN, "EEXIST"], ["2014", OLD, "EFAULT"]] as const) {
  Deno.test(`getUserPagesFast() of an entry without a page: ${errno} in ${name}`, () => {
    const m = memory(RW, MAP_PRIVATE, flavour);
    m.mm.vmas.lookup(m.start)!.flags |= VM_MIXEDMAP;
    // Present, special, and nobody supplies a page.
    m.system.pv.setPte(allocSlot(m.mm, m.start), 0x20, 0x207 | 1 << 9);
    assertEquals(getUserPagesFast(m.mm, m.start, 1, FOLL_GET), { ok: false, errno });
  });
}

Deno.test("getUserPagesFast() looks a VMA up once, however many pages of it it needs", () => {
  const m = memory();
  const mark = m.trace.mark();
  getUserPagesFast(m.mm, m.start, 4, FOLL_GET | FOLL_WRITE);
  const { vma_find, mmap_lock } = m.trace.since(mark);
  assertEquals({ vma_find, mmap_lock }, { vma_find: 1, mmap_lock: 1 });
});

Deno.test("getUserPagesFast() takes no lock where the fast walk finds all", () => {
  const m = memory();
  touch("w")(m);
  const mark = m.trace.mark();
  getUserPagesFast(m.mm, m.start, 1, FOLL_GET | FOLL_WRITE);
  assertEquals(m.trace.since(mark), { gup_fast_call: 1, gup_fast_pte: 1, refcount: 1 });
});

Deno.test("getUserPagesFast() tells its decisions page by page", () => {
  const w = world({ kernel: "linux6_1" });
  const p = w.process();
  const { start } = p.mmapGrants(w.guest.grant([16, 300]));
  const decisions: GupDecision[] = [];
  const result = getUserPagesFast(p.mm, start, 3, FOLL_GET | FOLL_WRITE, decisions);
  assertEquals([result.ok && result.value.pages.length, result.ok && result.value.bail], [
    2,
    "pte-not-permitted",
  ]);
  assertEquals(decisions.map(({ address, where }) => [(address - start) / PAGE, where]), [
    [0, "gup_pte_range"],
    [0, "vm_normal_page"],
    [1, "vm_normal_page"],
    [2, "__get_user_pages"],
  ]);
});
