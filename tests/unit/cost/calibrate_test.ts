import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { benchFamily, calibrate } from "../../../lib/cost/calibrate.ts";
import type { Observation } from "../../../lib/cost/observation.ts";
import { predict } from "../../../lib/cost/predict.ts";

const HEAD = { name: "made up", machine: "linux", kernel: "linux6_1", xen: null, source: "measured: a test" };
const CPU = { erms: true };

/** A machine on which a call costs 300, a fault 900, a page taken 1000 and cleared 4096 by iterations. */
function row(bench: string, n: number, counts: Observation["counts"]): Observation {
  const { syscall = 0, fault_entry = 0, page_alloc = 0, page_clear = 0 } = counts;
  const total = 300 * syscall + 900 * fault_entry + 1000 * page_alloc + 4096 * page_clear;
  return { bench, n, counts, cpu: CPU, kernel: "linux6_1", total };
}

const ROWS = [1, 4, 16].flatMap((n) => [
  row("call", n, { syscall: n }),
  row("call_and_fault", n, { syscall: 1, fault_entry: n }),
  row("touch", n, { fault_entry: n, page_alloc: n, page_clear: n }),
  row("take", n, { syscall: 1, page_alloc: n }),
  row("clear", n, { syscall: 1, page_clear: n }),
]);

Deno.test("calibrate() finds the prices that made the rows", () => {
  const { prices } = calibrate(ROWS, HEAD);
  assertAlmostEquals(prices.syscall!.per.kernel, 300, 3);
  assertAlmostEquals(prices.fault_entry!.per.kernel, 900, 9);
  assertAlmostEquals(prices.page_alloc!.per.kernel, 1000, 10);
  assertEquals(prices.syscall!.benches, 4);
  assert(prices.syscall!.residual < 0.01);
  for (const { low, high, per } of Object.values(prices)) assert(low <= per.kernel && per.kernel <= high);
});

Deno.test("calibrate() prices no event of a single bench and does not fit to its rows", () => {
  const odd = [1, 4].map((n) => ({ ...row("odd", n, { syscall: 1, block_io: n }), total: 50_000 }));
  const list = calibrate([...ROWS, ...odd], HEAD);
  assertEquals(list.prices.block_io, undefined);
  assertEquals(list.unpriced.block_io, "odd");
  assertAlmostEquals(list.prices.syscall!.per.kernel, 300, 3);
  assertEquals(predict({ block_io: 1 }, list, { cpu: CPU }).unpriced, ["block_io"]);
});

Deno.test("calibrate() takes benches for one that differ only in what follows them", () => {
  const twins = ["gntdev_map_ioctl", "gntdev_map_ioctl_ro"].map((name) =>
    row(name, 1, { syscall: 1, user_copy: 1 })
  );
  assertEquals(calibrate([...ROWS, ...twins], HEAD).prices.user_copy, undefined);
  assertEquals(benchFamily("gntdev_mmap_ro"), benchFamily("gntdev_mmap_rw"));
  assertEquals(benchFamily("mprotect_ro"), "mprotect_ro");
});

Deno.test("calibrate() leaves a bench out of the prices that are asked for without it", () => {
  const wrong = [1, 4].map((n) => ({
    ...row("call_and_fault", n, { syscall: 1, fault_entry: n }),
    total: 9000 * n,
  }));
  const list = calibrate([...ROWS.filter(({ bench }) => bench !== "call_and_fault"), ...wrong], HEAD);
  const without = predict({ syscall: 1 }, list, { cpu: CPU, withoutBench: "call_and_fault" }).total;
  assertAlmostEquals(without, 300, 10);
  assertEquals(list.sizes, [1, 4, 16]);
});

Deno.test("calibrate() splits prices by layer where rows say who executed", () => {
  const byLayer = ROWS.map((row) => ({ ...row, layers: { user: 0, kernel: row.total, xen: 0 } }));
  const list = calibrate(byLayer, HEAD);
  assertEquals(list.hasLayers, true);
  assertEquals(list.prices.syscall!.per.xen, 0);
  assertThrows(() => calibrate([], HEAD), RangeError, "Cannot calibrate from 0 rows");
});
