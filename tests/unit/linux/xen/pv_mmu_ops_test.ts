/**
 * What Linux on Xen PV sees of an entry, and what it stores. Numbers as in p2m_test.ts.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { PAGE } from "../../../../lib/core/geometry.ts";
import { KernelBug } from "../../../../lib/core/crash.ts";
import { world } from "../../../../lib/experiments/world.ts";
import { allocPgd, allocSlot, rawFlags, rawFrame } from "../../../../lib/linux/mm/pgtable.ts";
import { MmStruct } from "../../../../lib/linux/mm/mm_struct.ts";
import type { EventCounts } from "../../../../lib/trace/trace.ts";
import { exitMmap } from "../../../../lib/linux/mm/exit.ts";
import { validateMm } from "../../../../lib/linux/mm/validate.ts";
import {
  _PAGE_ACCESSED,
  _PAGE_PRESENT,
  _PAGE_PROTNONE,
  _PAGE_RW,
  _PAGE_SPECIAL,
  _PAGE_USER,
} from "../../../../lib/x86/pte.ts";
import { validateXen } from "../../../../lib/xen/validate.ts";

const RW = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
const NONE = _PAGE_PROTNONE | _PAGE_ACCESSED;

const READS: readonly { given: string; frame: number; flags: number; val: number; pfn: number }[] = [
  { given: "control: own frame", frame: 0x1005, flags: RW, val: RW, pfn: 5 },
  {
    given: "foreign, inside the p2m: P cleared, pfn 0",
    frame: 0x710,
    flags: RW,
    val: RW & ~_PAGE_PRESENT,
    pfn: 0,
  },
  { given: "foreign, beyond the p2m: taken for identity", frame: 0x810, flags: RW, val: RW, pfn: 0x810 },
  {
    given: "special changes nothing: own frame",
    frame: 0x1005,
    flags: RW | _PAGE_SPECIAL,
    val: RW | _PAGE_SPECIAL,
    pfn: 5,
  },
  {
    given: "special changes nothing: foreign",
    frame: 0x710,
    flags: RW | _PAGE_SPECIAL,
    val: (RW | _PAGE_SPECIAL) & ~_PAGE_PRESENT,
    pfn: 0,
  },
  { given: "not present: nothing is converted", frame: 0x710, flags: NONE, val: NONE, pfn: 0x710 },
];

for (const { given, frame, flags, val, pfn } of READS) {
  Deno.test(`pteValFlags() and ptePfn() convert: ${given}`, () => {
    const { pv } = world().kernel.system;
    assertEquals([pv.pteValFlags(frame, flags), pv.ptePfn(frame, flags)], [val, pfn]);
  });
}

const STORES: readonly { given: string; pfn: number; flags: number; frame: number; stored: number }[] = [
  { given: "control: populated page", pfn: 0x300, flags: RW, frame: 0x1300, stored: RW },
  { given: "page without a frame: the entry is empty", pfn: 0x400, flags: RW, frame: 0, stored: 0 },
  { given: "PROT_NONE: the pfn stays a pfn", pfn: 0x300, flags: NONE, frame: 0x300, stored: NONE },
  { given: "PROT_NONE of a page without a frame", pfn: 0x400, flags: NONE, frame: 0x400, stored: NONE },
];

for (const { given, pfn, flags, frame, stored } of STORES) {
  Deno.test(`setPte() stores: ${given}`, () => {
    const w = world();
    const { system } = w.kernel;
    const slot = allocSlot(w.process().mm, 0x10000);
    system.pv.setPte(slot, pfn, flags);
    // Xen adds GLOBAL to user entries of its own accord.
    const GLOBAL = stored === RW ? 1 << 8 : 0;
    assertEquals([rawFrame(system, slot), rawFlags(system, slot)], [frame, stored | GLOBAL]);
    assertEquals(system.log, []);
    assertEquals(validateXen(w.hv), []);
  });
}

Deno.test("setPteFlags() takes the frame along to PROT_NONE and back", () => {
  const w = world();
  const { system } = w.kernel;
  const slot = allocSlot(w.process().mm, 0x10000);
  system.pv.setPte(slot, 0x300, RW);
  system.pv.setPteFlags(slot, RW & ~_PAGE_RW);
  assertEquals([rawFrame(system, slot), rawFlags(system, slot) & _PAGE_RW], [0x1300, 0]);
  system.pv.setPteFlags(slot, NONE);
  assertEquals([rawFrame(system, slot), rawFlags(system, slot)], [0x300, NONE]);
  system.pv.setPteFlags(slot, RW);
  assertEquals(rawFrame(system, slot), 0x1300);
  system.pv.clearPte(slot);
  assertEquals([rawFrame(system, slot), rawFlags(system, slot)], [0, 0]);
  assertEquals(validateXen(w.hv), []);
});

Deno.test("setPte() of a frame that Xen refuses leaves the entry, and only the list warns", () => {
  const w = world();
  const { system } = w.kernel;
  const slot = allocSlot(w.process().mm, 0x10000);
  w.kernel.p2m.set(0x300, 0x710);
  system.pv.setPte(slot, 0x300, RW);
  assertEquals([rawFrame(system, slot), rawFlags(system, slot), system.log], [0, 0, []]);
  system.pv.enterLazyMmu();
  system.pv.setPte(slot, 0x300, RW);
  assertEquals(system.log, [], "it waits");
  system.pv.leaveLazyMmu();
  assertEquals([rawFrame(system, slot), rawFlags(system, slot)], [0, 0]);
  assertEquals(system.log.map(({ kind, where }) => [kind, where]), [["warning", "xen_mc_flush"]]);
});

Deno.test("wrprotectPte() of an entry that keeps a foreign frame is a fault of the kernel's", () => {
  const w = world();
  const { system } = w.kernel;
  const p = w.process();
  const { start } = p.mmapGrants(w.guest.grant(1));
  const slot = allocSlot(p.mm, start);
  assertThrows(() => system.pv.wrprotectPte(slot, RW & ~_PAGE_RW), KernelBug, "store to a page table");
});

/** What one change of an entry costs, outside lazy mode and inside, when the mode ends included. */
const WAYS: readonly { what: string; outside: EventCounts; inside: EventCounts }[] = [
  {
    what: "setPte",
    outside: { hypercall: 1, hc_mmu_update: 1, set_pte_call: 1, mmu_update_op: 1 },
    inside: { hypercall: 1, hc_mmu_update: 1, single_call: 1, mmu_update_op: 1 },
  },
  {
    what: "setPteFlags",
    outside: { hypercall: 1, hc_mmu_update: 1, set_pte_call: 1, mmu_update_op: 1 },
    inside: { hypercall: 1, hc_mmu_update: 1, single_call: 1, mmu_update_op: 1 },
  },
  {
    what: "modifyPteProt",
    outside: { hypercall: 1, hc_mmu_update: 1, single_call: 1, mmu_update_op: 1 },
    inside: { hypercall: 1, hc_mmu_update: 1, single_call: 1, mmu_update_op: 1 },
  },
  { what: "wrprotectPte", outside: { ptwr_emulated: 1 }, inside: { ptwr_emulated: 1 } },
  { what: "clearPte", outside: { ptwr_emulated: 1 }, inside: { ptwr_emulated: 1 } },
];

for (const { what, outside, inside } of WAYS) {
  Deno.test(`${what}() takes its way to Xen, outside lazy mode and inside`, () => {
    for (const isLazy of [false, true]) {
      const w = world();
      const { system } = w.kernel;
      const { pv } = system;
      const slot = allocSlot(w.process().mm, 0x10000);
      pv.setPte(slot, 0x300, RW);
      const calls: Record<string, () => void> = {
        setPte: () => pv.setPte(slot, 0x301, RW),
        setPteFlags: () => pv.setPteFlags(slot, RW | _PAGE_ACCESSED),
        modifyPteProt: () => pv.modifyPteProt(slot, RW & ~_PAGE_RW),
        wrprotectPte: () => pv.wrprotectPte(slot, RW & ~_PAGE_RW),
        clearPte: () => pv.clearPte(slot),
      };
      const mark = w.trace.mark();
      if (isLazy) pv.enterLazyMmu();
      calls[what]!();
      if (isLazy) pv.leaveLazyMmu();
      const counts = w.trace.since(mark);
      const ways = [
        "hypercall",
        "hc_mmu_update",
        "set_pte_call",
        "single_call",
        "mmu_update_op",
        "ptwr_emulated",
      ];
      const seen = Object.fromEntries(Object.entries(counts).filter(([kind]) => ways.includes(kind)));
      assertEquals(seen, isLazy ? inside : outside, isLazy ? "inside" : "outside");
      assertEquals([system.log, validateXen(w.hv)], [[], []]);
    }
  });
}

Deno.test("lazy mode makes lists of 31 updates, and an entry read before the list goes is the old one", () => {
  const w = world();
  const { system } = w.kernel;
  const first = allocSlot(w.process().mm, 0x10000);
  const rows = [1, 31, 32, 62, 63].map((updates) => {
    const mark = w.trace.mark();
    system.pv.enterLazyMmu();
    for (let i = 0; i < updates; i++) system.pv.setPte(first + 2 * i, 0x300, RW);
    const before = rawFrame(system, first + 2 * (updates - 1));
    system.pv.leaveLazyMmu();
    const after = rawFrame(system, first + 2 * (updates - 1));
    for (let i = 0; i < updates; i++) system.pv.clearPte(first + 2 * i);
    return [updates, w.trace.since(mark).single_call, before, after];
  });
  assertEquals(rows, [
    [1, 1, 0, 0x1300],
    [31, 1, 0, 0x1300],
    [32, 2, 0, 0x1300],
    [62, 2, 0, 0x1300],
    [63, 3, 0, 0x1300],
  ]);
});

Deno.test("tables of a running process are changed in lists, those of a fork's child by plain stores", () => {
  const w = world();
  const { system } = w.kernel;
  const p = w.process();
  const mark = w.trace.mark();
  allocSlot(p.mm, 0x10000);
  const { hc_multicall, single_call, multicall_entry, ptwr_emulated } = w.trace.since(mark);
  // Three tables made read-only, the lowest pinned with it; three entries that point to them.
  assertEquals([hc_multicall, single_call, multicall_entry, ptwr_emulated], [1, 5, 2, undefined]);
  const child = new MmStruct(system, allocPgd(system));
  const unpinned = w.trace.mark();
  allocSlot(child, 0x10000);
  const { hypercall = 0, pte_write } = w.trace.since(unpinned);
  assertEquals([hypercall, pte_write], [0, 3]);
  system.pv.dupMmap(child);
  const pinned = w.trace.since(unpinned);
  // Four tables read-only, the lowest and the top one pinned: six calls, one list.
  assertEquals([pinned.hypercall, pinned.hc_multicall, pinned.multicall_entry], [1, 1, 6]);
  const end = w.trace.mark();
  exitMmap(child);
  assertEquals(w.trace.since(end).hc_multicall, 1);
  assertEquals([system.log, validateXen(w.hv)], [[], []]);
});

Deno.test("flushTlbRange() of tables that several CPUs have loaded asks Xen once", () => {
  const w = world();
  const { mm } = w.process();
  mm.activeCpus.add(1);
  const rows = [1, 2, 34].map((pages) => {
    const mark = w.trace.mark();
    w.kernel.system.pv.flushTlbRange(mm, 0x10000, 0x10000 + pages * PAGE);
    const { hc_mmuext_op, single_call, flush_tlb_mask } = w.trace.since(mark);
    return [pages, hc_mmuext_op, single_call, flush_tlb_mask];
  });
  assertEquals(rows, [[1, 1, 1, 1], [2, 1, 1, 1], [34, 1, 1, 1]]);
});

Deno.test("switchMm() makes each process see its own memory", () => {
  const w = world();
  const [a, b] = [w.process("a"), w.process("b")];
  const start = a.mmapGrants(w.guest.grant([16, 17])).start;
  // The same address, another grant.
  assertEquals(b.mmapGrants(w.guest.grant([18, 19])).start, start);
  assertEquals(a.write(start, 0xaa), { ok: true, value: 0xaa });
  assertEquals(b.write(start, 0xbb), { ok: true, value: 0xbb });
  w.process("c");
  assertEquals(a.read(start), { ok: true, value: 0xaa });
  assertEquals(b.read(start), { ok: true, value: 0xbb });
  assertEquals(a.read(start), { ok: true, value: 0xaa });
});

Deno.test("releaseTable() lets go of the top table that is loaded", () => {
  const w = world();
  const a = w.process("a");
  const vma = a.mmapGrants(w.guest.grant(2));
  assertEquals(a.read(vma.start).ok, true);
  exitMmap(a.mm);
  assertEquals(w.dom0.vcpu.userBase, 0);
  // Its frame is an ordinary page now: it can become a table of another level.
  const b = w.process("b");
  const again = b.mmapGrants(w.guest.grant(2));
  assertEquals(b.write(again.start + PAGE, 1).ok, true);
  assertEquals([w.kernel.system.log, validateXen(w.hv), validateMm(b.mm)], [[], [], []]);
});

Deno.test("flushTlbRange() drops single pages up to 33, then everything", () => {
  const w = world();
  const { mm } = w.process();
  const rows = [1, 33, 34].map((pages) => {
    const mark = w.trace.mark();
    w.kernel.system.pv.flushTlbRange(mm, 0x10000, 0x10000 + pages * PAGE);
    const { hypercall = 0, invlpg = 0, tlb_flush_full = 0 } = w.trace.since(mark);
    return { pages, hypercall, invlpg, tlb_flush_full };
  });
  assertEquals(rows, [
    { pages: 1, hypercall: 1, invlpg: 1, tlb_flush_full: 0 },
    { pages: 33, hypercall: 33, invlpg: 33, tlb_flush_full: 0 },
    { pages: 34, hypercall: 1, invlpg: 0, tlb_flush_full: 1 },
  ]);
});
