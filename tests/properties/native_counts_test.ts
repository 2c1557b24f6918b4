/**
 * "Reducing the impact on existing use cases", as a test: what a program without foreign pages costs does not depend on
 * the design for foreign pages, except for what a design adds to every VMA and for m2p_override's look-ups.
 *
 * @module
 */

import { assertEquals, assertGreater } from "@std/assert";
import { world } from "../../lib/experiments/world.ts";
import { KERNEL_FLAVOURS, type KernelFlavourName } from "../../lib/linux/kernel.ts";
import { fput } from "../../lib/linux/mm/file.ts";
import { getUserPagesFast, releaseUserPages } from "../../lib/linux/mm/gup.ts";
import { FOLL_GET, FOLL_WRITE } from "../../lib/linux/mm/gup_flags.ts";
import { MADV, madvise } from "../../lib/linux/mm/madvise.ts";
import { mmap } from "../../lib/linux/mm/mmap.ts";
import { mprotect } from "../../lib/linux/mm/mprotect.ts";
import { mremap } from "../../lib/linux/mm/mremap.ts";
import { munmap } from "../../lib/linux/mm/munmap.ts";
import { memfdCreate } from "../../lib/linux/mm/shmem.ts";
import { userAccess } from "../../lib/linux/mm/user_access.ts";
import type { EventKind } from "../../lib/trace/events.ts";
import { PROPERTY_HOST } from "./host.ts";

const BASE = 0x1000_0000_0000;
const PAGE = 4096;

/** Counts of a workload on anonymous and file memory alone. */
function countsOf(kernel: KernelFlavourName): Map<EventKind, number> {
  const w = world({ kernel, ...PROPERTY_HOST });
  const { mm } = w.process("native");
  const { trace, system } = { trace: mm.system.trace, system: mm.system };
  const mark = trace.mark();
  const file = memfdCreate(system, "file", 8);
  mmap(mm, { address: BASE, length: 8 * PAGE, prot: 3, flags: 0x32 });
  mmap(mm, { address: BASE + 16 * PAGE, length: 8 * PAGE, prot: 3, flags: 0x11, file });
  for (let page = 0; page < 24; page++) {
    userAccess(mm, 0, BASE + page * PAGE, page % 3 === 0 ? "r" : "w", page);
  }
  for (const start of [BASE, BASE + 16 * PAGE]) {
    const got = getUserPagesFast(mm, start, 8, FOLL_GET | FOLL_WRITE);
    if (got.ok) releaseUserPages(mm, got.value.pages, FOLL_GET);
  }
  mprotect(mm, BASE + 2 * PAGE, 3 * PAGE, 1);
  mprotect(mm, BASE + 2 * PAGE, 3 * PAGE, 3);
  mremap(mm, {
    address: BASE,
    oldLength: 4 * PAGE,
    newLength: 4 * PAGE,
    flags: 3,
    newAddress: BASE + 40 * PAGE,
  });
  madvise(mm, BASE + 16 * PAGE, 4 * PAGE, MADV.DONTNEED);
  munmap(mm, BASE, 64 * PAGE);
  fput(file);
  const counts = trace.since(mark);
  return new Map((Object.entries(counts) as [EventKind, number][]).filter(([, n]) => n > 0));
}

/** A design and what it adds, beside a kernel of the same time without one of its own. */
const TABLE: readonly (readonly [kernel: KernelFlavourName, beside: KernelFlavourName, own: EventKind[]])[] =
  [
    ["linux3_19", "linux4_0", []], // m2p_override asks its table only for frames that are not local
    ["draft_b", "linux4_0", ["vma_ext_word"]],
    ["seed2014", "linux4_0", ["vma_ext_word"]],
    ["vma_pages_v1", "linux4_0", ["vma_ext_word"]],
    // The walker of 2014 tests raw flags and converts the frame once, today's converts the entry first.
    ["linux6_1", "linux4_0", ["m2p_read", "p2m_read"]],
    ["linux6_0", "linux6_1", []],
    ["lazy_fault", "linux6_1", []],
    ["linux7_1", "linux6_1", []],
    // No fast walker yet: every page goes through the slow path.
    ["classic2005", "linux4_0", ["gup_fast_pte", "gup_slow_page", "mmap_lock", "pt_lock", "vma_find"]],
  ];

Deno.test("a native workload costs the same under every design, but for words that a design adds to VMAs", () => {
  for (const [kernel, beside, own] of TABLE) {
    const counts = countsOf(kernel);
    const yardstick = countsOf(beside);
    assertGreater(yardstick.get("page_fault") ?? 0, 10);
    const kinds = new Set([...yardstick.keys(), ...counts.keys()]);
    const differing = [...kinds].filter((kind) => counts.get(kind) !== yardstick.get(kind)).sort();
    assertEquals(differing, own, `${kernel} beside ${beside}`);
  }
  const compared = new Set(TABLE.flatMap(([kernel, beside]) => [kernel, beside]));
  assertEquals([...compared].sort(), Object.keys(KERNEL_FLAVOURS).sort(), "every design has a row");
});
