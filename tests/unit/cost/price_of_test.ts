import { assertEquals, assertThrows } from "@std/assert";
import { ASSUMED_CYCLES } from "../../../lib/cost/assumed_cycles.ts";
import type { Price, PriceList } from "../../../lib/cost/price.ts";
import { priceOf } from "../../../lib/cost/price_of.ts";
import type { EventKind } from "../../../lib/trace/events.ts";

const MEASURED = "measured: a table of this test";

/** The built-in list with some rows replaced. */
function listWith(rows: Partial<Record<EventKind, Price>>, name = "test"): PriceList {
  return { ...ASSUMED_CYCLES, name, machine: "none", prices: { ...ASSUMED_CYCLES.prices, ...rows } };
}

const LIST = listWith({
  pte_write: { per: 2, low: 1, high: 5, source: MEASURED },
  vma_find: { per: 10, low: 10, high: 10, source: MEASURED },
  hypercall: { base: 100, per: 30, low: 20, high: 60, source: MEASURED },
  gt_lock: { per: 4, low: 4, high: 8, source: "assumed: as an uncontended lock" },
});

Deno.test("priceOf adds counts times prices, by hand", () => {
  // 3 × 2 + 1 × 10 = 16 in linux; 100 + 2 × 30 + 5 × 4 = 180 in xen.
  const cost = priceOf({ hypercall: 2, gt_lock: 5, pte_write: 3, vma_find: 1 }, LIST);
  assertEquals(cost, {
    total: 196,
    low: 3 + 10 + 140 + 20,
    high: 15 + 10 + 220 + 40,
    unit: "cycles",
    list: "test",
    assumed: true,
    byEvent: [
      {
        event: "vma_find",
        layer: "linux",
        count: 1,
        amount: 10,
        low: 10,
        high: 10,
        unit: "cycles",
        source: MEASURED,
      },
      {
        event: "pte_write",
        layer: "linux",
        count: 3,
        amount: 6,
        low: 3,
        high: 15,
        unit: "cycles",
        source: MEASURED,
      },
      {
        event: "hypercall",
        layer: "xen",
        count: 2,
        amount: 160,
        low: 140,
        high: 220,
        unit: "cycles",
        source: MEASURED,
      },
      {
        event: "gt_lock",
        layer: "xen",
        count: 5,
        amount: 20,
        low: 20,
        high: 40,
        unit: "cycles",
        source: "assumed: as an uncontended lock",
      },
    ],
    byLayer: [
      { layer: "linux", amount: 16, low: 13, high: 25, unit: "cycles", source: "measured: test, none" },
      {
        layer: "xen",
        amount: 180,
        low: 160,
        high: 260,
        unit: "cycles",
        source: "partly assumed: test, none",
      },
    ],
  });
});

Deno.test("priceOf pays the base once, and only if the event happens", () => {
  for (const [count, total] of [[0, 0], [1, 130], [2, 160]] as const) {
    assertEquals(priceOf({ hypercall: count }, LIST).total, total, `${count} hypercalls`);
  }
});

Deno.test("priceOf of nothing is nothing and assumes nothing", () => {
  for (const counts of [{}, { hypercall: 0 }]) {
    const { total, low, high, assumed, byEvent, byLayer } = priceOf(counts, ASSUMED_CYCLES);
    assertEquals({ total, low, high, assumed, byEvent, byLayer }, {
      total: 0,
      low: 0,
      high: 0,
      assumed: false,
      byEvent: [],
      byLayer: [],
    });
  }
});

Deno.test("priceOf says assumed as soon as one price used was not measured", () => {
  const rows = [
    [{ pte_write: 1 }, false, ["measured: test, none"]],
    [{ pte_write: 1, hypercall: 1 }, false, ["measured: test, none", "measured: test, none"]],
    [{ pte_write: 1, gt_lock: 1 }, true, ["measured: test, none", "assumed: test, none"]],
    [{ pte_write: 1, vma_alloc: 1 }, true, ["partly assumed: test, none"]],
    [{ pte_write: 1, vma_ext_word: 1 }, true, ["partly assumed: test, none"]], // a price of 0 is one, too
  ] as const;
  for (const [counts, assumed, sources] of rows) {
    const cost = priceOf(counts, LIST);
    assertEquals(cost.assumed, assumed, JSON.stringify(counts));
    assertEquals(cost.byLayer.map((row) => row.source), [...sources], JSON.stringify(counts));
  }
});

Deno.test("priceOf prices the same counts again with another list, and leaves them alone", () => {
  const counts = Object.freeze({ hypercall: 2, pte_write: 3 });
  const dear = listWith({ hypercall: { per: 1000, low: 1000, high: 1000, source: MEASURED } }, "dear");
  const first = priceOf(counts, LIST);
  assertEquals(priceOf(counts, dear).total, 2000 + 3 * 20);
  assertEquals(priceOf(counts, LIST), first);
  assertEquals(first.total, 166);
});

Deno.test("priceOf puts the design in the rows by layer", () => {
  assertEquals(priceOf({ pte_write: 1 }, LIST, { design: "linux4_0" }).byLayer, [
    {
      design: "linux4_0",
      layer: "linux",
      amount: 2,
      low: 1,
      high: 5,
      unit: "cycles",
      source: "measured: test, none",
    },
  ]);
});

Deno.test("priceOf refuses what is not a count", () => {
  priceOf({ hypercall: 1 }, LIST); // control
  const rows = [
    [
      { hypercal: 1 },
      RangeError,
      'Cannot find the event "hypercal": there is no such event; did you mean "hypercall"',
    ],
    [{ hypercall: -1 }, RangeError, "Cannot price hypercall × -1: a count must be a finite number from 0"],
    [{ hypercall: NaN }, RangeError, "Cannot price hypercall × NaN: a count must be a finite number from 0"],
    [{ hypercall: Infinity }, RangeError, "Cannot price hypercall × Infinity"],
    [{ hypercall: "2" }, TypeError, 'Cannot price hypercall × "2": a count must be a number'],
  ] as const;
  for (const [counts, kind, message] of rows) {
    assertThrows(() => priceOf(counts as Record<string, number>, LIST), kind, message);
  }
});

Deno.test("priceOf refuses what is no price list, and options that nothing reads", () => {
  const price = priceOf as (...values: unknown[]) => unknown;
  assertThrows(() => price({}), TypeError, "Cannot price events by undefined: it must be a price list");
  assertThrows(() => price({}, "mine"), TypeError, 'Cannot price events by "mine": it must be a price list');
  assertThrows(() => price({}, LIST, { desing: "linux4_0" }), RangeError, 'did you mean "design"');
});
