import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ASSUMED_CYCLES } from "../../../lib/cost/assumed_cycles.ts";
import { closedQueues } from "../../../lib/cost/closed_queues.ts";
import { contended, demandOf } from "../../../lib/cost/contention.ts";
import { LOCK_CLASSES } from "../../../lib/cost/lock_classes.ts";
import { simulateQueues } from "../../../lib/cost/simulate_queues.ts";

Deno.test("closedQueues: written values", () => {
  // One lock, two processors, think and hold 1: X(1) = 1/2, Q = 1/2; X(2) = 2 / (1 + 1 × 1.5) = 0.8.
  assertEquals(closedQueues({ think: 1, locks: [1] }, 1), { throughput: 0.5, busy: [0.5], waiting: 0 });
  const two = closedQueues({ think: 1, locks: [1] }, 2);
  assertAlmostEquals(two.throughput, 0.8, 1e-12);
  assertAlmostEquals(two.busy[0]!, 0.8, 1e-12);
  assertAlmostEquals(two.waiting, 0.2, 1e-12);
  // Without locks processors do not meet.
  assertEquals(closedQueues({ think: 4, locks: [] }, 8).throughput, 2);
});

Deno.test("closedQueues agrees with one event after the other, over hold times, CPUs and numbers of locks", () => {
  for (const locks of [[1], [10], [50], [10, 10], [5, 20, 1]]) {
    for (const cpus of [1, 2, 4, 8, 16, 32]) {
      const demand = { think: 100 - Math.min(50, locks[0]!), locks };
      const computed = closedQueues(demand, cpus).throughput;
      const counted = simulateQueues(demand, { cpus, operations: 40_000 });
      assert(Math.abs(counted / computed - 1) < 0.03, `${locks} on ${cpus}: ${counted} against ${computed}`);
    }
  }
});

Deno.test("closedQueues errs on the side of contention when times do not vary, by at most three tenths", () => {
  for (const hold of [1, 5, 10, 25, 50]) {
    for (const cpus of [2, 4, 8, 16]) {
      const demand = { think: 100 - hold, locks: [hold] };
      const ratio = simulateQueues(demand, { cpus, operations: 4_000, shape: "fixed" }) /
        closedQueues(demand, cpus).throughput;
      assert(ratio > 0.999 && ratio < 1.3, `hold ${hold} on ${cpus}: ${ratio}`);
    }
  }
});

Deno.test("closedQueues and simulateQueues refuse misuse", () => {
  assertThrows(() => closedQueues({ think: -1, locks: [] }, 1), RangeError, "Cannot queue for a time of -1");
  assertThrows(() => closedQueues({ think: 0, locks: [0] }, 1), RangeError, "must take some time");
  assertThrows(() => closedQueues({ think: 1, locks: [NaN] }, 1), RangeError, "NaN");
  assertThrows(() => closedQueues({ think: 1, locks: [] }, 0), RangeError, "from 1 to");
  assertThrows(
    () => simulateQueues({ think: 1, locks: [] }, { cpus: 1, operations: 0 }),
    RangeError,
    "operations",
  );
});

Deno.test("contended: alone an operation costs its price, whatever its locks", () => {
  for (const { taken } of LOCK_CLASSES) {
    const answer = contended({ syscall: 10, [taken]: 4 }, { cpus: 1, prices: ASSUMED_CYCLES });
    const cycles = 10 * 300 + 4 * ASSUMED_CYCLES.prices[taken].per;
    assertAlmostEquals(answer.throughput, 1e6 / cycles, 1e-9, taken);
    assertEquals([answer.speedup, answer.waiting, answer.assumed], [1, 0, true]);
    assert(answer.low < answer.throughput && answer.throughput < answer.high);
  }
});

Deno.test("contended: a flush holds its lock for all its interrupts; a count of readers moves its line twice", () => {
  const flush = demandOf({ syscall: 10, flush_tlb_mask: 2, ipi: 14 }, ASSUMED_CYCLES, "amount", 8);
  assertEquals(flush, { think: 3000, locks: [2 * 1500 + 14 * 600 + 2 * 60 * 7 / 8] });
  const readers = demandOf({ syscall: 10, gt_rw_lock: 2 }, ASSUMED_CYCLES, "amount", 4);
  assertEquals(readers, { think: 3000, locks: [2 * 40 + 2 * 2 * 60 * 3 / 4] });
});

Deno.test("contended: locks that processors do not share are no queue; instructions are no time", () => {
  const answer = contended({ syscall: 1, gt_lock: 99, active_lock: 99 }, {
    cpus: 16,
    prices: ASSUMED_CYCLES,
  });
  assertEquals([answer.busiest, answer.waiting], [null, 0]);
  assertAlmostEquals(answer.speedup, 16, 1e-9);
  const list = { ...ASSUMED_CYCLES, unit: "instructions" } as const;
  assertThrows(() => contended({ syscall: 1 }, { cpus: 2, prices: list }), RangeError, "waiting is time");
});

Deno.test("contended: a dearer cache line costs a shared count of readers, and readers per CPU nothing", () => {
  const at = (lock: string, cycles: number) => {
    const lineTransfer = { per: cycles, low: cycles, high: cycles };
    return contended({ syscall: 10, [lock]: 10 }, { cpus: 16, prices: ASSUMED_CYCLES, lineTransfer })
      .throughput;
  };
  assert(at("gt_rw_lock", 40) > 4 * at("gt_rw_lock", 300));
  assertEquals(at("gt_lock", 40), at("gt_lock", 300));
});
