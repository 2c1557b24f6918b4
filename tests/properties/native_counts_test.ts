/**
 * "Reducing the impact on existing use cases", as a test: what a program without foreign pages costs does not depend on
 * the design for foreign pages. A word that a design adds to every VMA is memory (`vmaWords`), not an event: nobody sets
 * it, and it is copied with the structure around it.
 *
 * Two tables. In the first only the design differs: each is put into every mm that a kernel of the model has. In the second
 * whole kernels stand beside one of their time, and what differs is what else changed in the release.
 *
 * @module
 */

import { assertEquals, assertGreater } from "@std/assert";
import { bootXenLinux, KERNEL_FLAVOURS, type KernelFlavourName } from "../../lib/linux/kernel.ts";
import { fput } from "../../lib/linux/mm/file.ts";
import { getUserPagesFast, releaseUserPages } from "../../lib/linux/mm/gup.ts";
import { FOLL_GET, FOLL_WRITE } from "../../lib/linux/mm/gup_flags.ts";
import { MADV, madvise } from "../../lib/linux/mm/madvise.ts";
import { mmap } from "../../lib/linux/mm/mmap.ts";
import { MmStruct } from "../../lib/linux/mm/mm_struct.ts";
import { mprotect } from "../../lib/linux/mm/mprotect.ts";
import { mremap } from "../../lib/linux/mm/mremap.ts";
import { munmap } from "../../lib/linux/mm/munmap.ts";
import { memfdCreate } from "../../lib/linux/mm/shmem.ts";
import { switchTo, userAccess } from "../../lib/linux/mm/user_access.ts";
import type { KernelFlavour } from "../../lib/linux/xen/kernel_flavour.ts";
import type { EventKind } from "../../lib/trace/events.ts";
import { Trace } from "../../lib/trace/trace.ts";
import { Cpu } from "../../lib/x86/cpu.ts";
import { PhysMem } from "../../lib/x86/phys_mem.ts";
import { xen4_17 } from "../../lib/xen/flavours.ts";
import { Hypervisor } from "../../lib/xen/hypervisor.ts";
import { PROPERTY_HOST } from "./host.ts";

const BASE = 0x1000_0000_0000;
const PAGE = 4096;

/** Boots a dom0 with this kernel. */
function process(flavour: KernelFlavour): MmStruct {
  const { dom0Frames, ballooned } = PROPERTY_HOST;
  const trace = new Trace();
  const cpus = [new Cpu({ trace })];
  const hv = new Hypervisor({ mem: new PhysMem(0x2000), trace, flavour: xen4_17, cpus });
  const domain = hv.createDomain({
    name: "dom0",
    frames: { first: 0x800, count: dom0Frames },
    privileged: true,
  });
  return new MmStruct(bootXenLinux({ hv, domain, cpus, flavour, nrBallooned: ballooned }).system);
}

/** Counts of a workload on anonymous and file memory alone. */
function countsOf(flavour: KernelFlavour): Map<EventKind, number> {
  const mm = process(flavour);
  switchTo(mm, 0);
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

/** A kernel and what it does otherwise, beside a kernel of the same time without one of its own. */
const TABLE: readonly (readonly [kernel: KernelFlavourName, beside: KernelFlavourName, own: EventKind[]])[] =
  [
    ["linux3_19", "linux4_0", []], // m2p_override asks its table only for frames that are not local
    ["draft_b", "linux4_0", []],
    ["seed2014", "linux4_0", []],
    ["vma_pages_v1", "linux4_0", []],
    // The walker of 2014 tests raw flags and converts the frame once, today's converts the entry first.
    ["linux6_1", "linux4_0", ["m2p_read", "p2m_read"]],
    ["linux6_0", "linux6_1", []],
    ["lazy_fault", "linux6_1", []],
    ["linux5_10", "linux6_1", ["tlb_gather", "vma_tree_prealloc"]], // a red-black tree, mprotect without a batch
    ["linux6_12", "linux6_1", ["vma_tree_prealloc"]], // only the nodes that a change needs
    ["linux7_1", "linux6_1", []],
    // mremap looks for its source in another place; pages wait for their list through a munmap; mprotect asks for the
    // page and takes the entry out, each of which the PV kernel converts and Xen carries out.
    ["linux7_2", "linux6_1", [
      "lru_add",
      "m2p_read",
      "normal_page",
      "p2m_read",
      "page_free",
      "pte_write",
      "ptwr_emulated",
      "vma_find",
      "vma_tree_prealloc",
      "xen_pte_write",
    ]],
    // No fast walker yet: every page goes through the slow path.
    ["classic2005", "linux4_0", [
      "gup_fast_pte",
      "gup_slow_page",
      "mmap_lock",
      "normal_page",
      "pt_lock",
      "pte_read",
      "vma_find",
    ]],
  ];

Deno.test("a native workload costs the same whatever the design, on the mm of every kernel", () => {
  const flavours = Object.values(KERNEL_FLAVOURS);
  for (const { title, mm } of flavours) {
    const counts = flavours.map((flavour) => countsOf({ ...flavour, mm }));
    assertGreater(counts[0]!.get("page_fault") ?? 0, 10);
    for (const [i, found] of counts.entries()) {
      assertEquals(found, counts[0], `${flavours[i]!.title} on the mm of ${title}`);
    }
  }
});

Deno.test("a native workload costs the same under kernels of one time, but for what the release changed", () => {
  for (const [kernel, beside, own] of TABLE) {
    const counts = countsOf(KERNEL_FLAVOURS[kernel]);
    const yardstick = countsOf(KERNEL_FLAVOURS[beside]);
    const kinds = new Set([...yardstick.keys(), ...counts.keys()]);
    const differing = [...kinds].filter((kind) => counts.get(kind) !== yardstick.get(kind)).sort();
    assertEquals(differing, own, `${kernel} beside ${beside}`);
  }
  const compared = new Set(TABLE.flatMap(([kernel, beside]) => [kernel, beside]));
  assertEquals([...compared].sort(), Object.keys(KERNEL_FLAVOURS).sort(), "every kernel has a row");
});
