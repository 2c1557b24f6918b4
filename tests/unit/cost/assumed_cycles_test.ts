import { assert, assertEquals } from "@std/assert";
import { ASSUMED_CYCLES } from "../../../lib/cost/assumed_cycles.ts";
import { isMeasured } from "../../../lib/cost/price.ts";
import { priceOf } from "../../../lib/cost/price_of.ts";
import { EVENT_KINDS } from "../../../lib/trace/events.ts";

Deno.test("ASSUMED_CYCLES prices every event, in their order, and says of each that it is assumed", () => {
  assertEquals(Object.keys(ASSUMED_CYCLES.prices), [...EVENT_KINDS]);
  assertEquals(ASSUMED_CYCLES.unit, "cycles");
  for (const [kind, price] of Object.entries(ASSUMED_CYCLES.prices)) {
    assert(price.source.startsWith("assumed: "), kind);
    // A free event gives its reason.
    assertEquals(price.per === 0, /^assumed: 0, \S.{10}/.test(price.source), kind);
  }
});

Deno.test("ASSUMED_CYCLES keeps the whole that a figure was split from", () => {
  const rows = [
    ["map or unmap of one grant, locks beside", 500, {
      gnttab_op: 1,
      maptrack_op: 1,
      entry_cmpxchg: 1,
      page_ref: 1,
      page_type: 1,
      xen_pte_write: 1,
    }],
    ["minor fault on a fresh page", 3200, {
      page_fault: 1,
      fault_entry: 1,
      mmap_lock: 1,
      vma_find: 1,
      pt_lock: 1,
      pte_read: 1,
      page_alloc: 1,
      page_clear: 1,
      pte_write: 1,
      mapcount: 1,
    }],
    ["a page by fast GUP", 60, { gup_fast_pte: 1, refcount: 1 }],
    ["a page by slow GUP", 350, { gup_slow_page: 1, vma_find: 1, pt_lock: 1, refcount: 1 }],
    ["mmap_lock of slow GUP", 200, { mmap_lock: 1 }],
    ["override look-up", 150, { override_lock: 1, override_probe: 1 }],
    ["shoot-down of three CPUs", 1500 + 3 * 600, { flush_tlb_mask: 1, ipi: 3, tlb_flush_full: 4 }],
    ["walk of four levels, cached", 80, { tlb_lookup: 1, tlb_miss: 1, walk_step: 4 }],
    ["copy of a page", 400, { page_copy: 1 }],
    ["active lock", 40, { active_lock: 1 }],
  ] as const;
  for (const [what, cycles, counts] of rows) {
    assertEquals(priceOf(counts, ASSUMED_CYCLES).total, cycles, what);
  }
  const { low, high } = priceOf({ hypercall: 1 }, ASSUMED_CYCLES);
  assertEquals([low, high], [300, 600]);
});

Deno.test("isMeasured goes by the first word of the source", () => {
  const rows = [
    ["measured: perf stat, 2026-01", true],
    [" Measured on a Xeon", true],
    ["assumed: as a lock", false],
    ["not measured", false],
    ["partly assumed", false],
  ] as const;
  for (const [source, expected] of rows) {
    assertEquals(isMeasured({ per: 1, low: 1, high: 1, source }), expected, source);
  }
});
