import { assert, assertEquals, assertThrows } from "@std/assert";
import { isMeasured } from "../../../lib/cost/price.ts";
import { BENCH_MACHINES, benchCounts, BENCHES, hostPrices } from "../../../lib/experiments/benches/mod.ts";
import { parseMeasurements } from "../../../lib/import/measurements.ts";

Deno.test("benchCounts() runs every bench in every mode it exists in", () => {
  for (const machine of BENCH_MACHINES) {
    for (const { name, modes, sizes } of BENCHES) {
      for (const mode of modes) {
        if (machine === "linux" && mode !== "generic") continue;
        const counts = benchCounts(name, sizes?.least ?? 1, { machine, mode, tables: "cold" });
        assert(name === "rdtsc_pair_overhead" || Object.keys(counts).length > 0, `${name} on ${machine}`);
      }
    }
  }
});

Deno.test("benchCounts() bends where Linux does", () => {
  const native = { machine: "linux", mode: "generic", tables: "warm" } as const;
  const pv = { machine: "xenpv", mode: "foreign", tables: "warm" } as const;
  const table: [
    bench: string,
    n: number,
    where: typeof native | typeof pv,
    expected: Record<string, number>,
  ][] = [
    ["mprotect_ro_touched", 33, native, { invlpg: 33, cr3_write: 0 }],
    ["mprotect_ro_touched", 34, native, { invlpg: 0, cr3_write: 1 }],
    ["munmap_anon_touched", 8, native, { page_alloc: 0 }],
    ["munmap_anon_touched", 9, native, { page_alloc: 1 }],
    ["grant_copy_to_grant_64", 16, pv, { hypercall: 1 }],
    ["grant_copy_to_grant_64", 17, pv, { hypercall: 2 }],
    ["raw_hypercall_unmap_device", 32, pv, { flush_tlb_mask: 1 }],
    ["raw_hypercall_unmap_device", 33, pv, { flush_tlb_mask: 2 }],
  ];
  for (const [bench, n, where, expected] of table) {
    const counts = benchCounts(bench, n, where) as Record<string, number | undefined>;
    for (const [kind, times] of Object.entries(expected)) {
      assertEquals(counts[kind] ?? 0, times, `${kind} of ${bench} ${n}`);
    }
  }
});

Deno.test("benchCounts() flushes on the second processor, too", () => {
  const two = { machine: "xenpv", mode: "generic", tables: "warm", cpus: 2 } as const;
  assertEquals(benchCounts("mprotect_ro_touched", 1, two).invlpg, 2);
  assertEquals(benchCounts("mprotect_ro_touched", 1, { ...two, cpus: 1 }).invlpg, 1);
});

Deno.test("benchCounts() looks for foreign frames the long way as often as the release does", () => {
  const table: [kernel: string, mode: "self" | "foreign", expected: number][] = [
    ["linux6_12", "self", 0],
    ["linux6_12", "foreign", 4],
    ["linux7_2", "self", 0],
    ["linux7_2", "foreign", 8],
  ];
  for (const [kernel, mode, expected] of table) {
    const setting = { machine: "xenpv", mode, tables: "warm", kernel, xen: "xen4_20" } as const;
    const { p2m_lookup = 0 } = benchCounts("process_vm_readv_1byte_per_page_grant", 4, setting);
    assertEquals(p2m_lookup, expected, `${kernel} ${mode}`);
  }
});

Deno.test("benchCounts() takes the median round where pages wait for their lists across rounds", () => {
  const native = { machine: "linux", mode: "generic", tables: "warm", kernel: "linux7_2" } as const;
  // 16 pages a round fill a batch of 31 in every second round or so; one page a round hardly ever does.
  assertEquals(benchCounts("touch_write_anon", 16, native).lru_add, 31);
  assertEquals(benchCounts("touch_write_anon", 1, native).lru_add ?? 0, 0);
});

Deno.test("benchCounts() refuses what no bench is", () => {
  const native = { machine: "linux", mode: "generic", tables: "warm" } as const;
  assertThrows(() => benchCounts("getpidd", 1, native), RangeError, "getpid");
  assertThrows(() => benchCounts("getpid", 2, native), RangeError, "it takes 1 to 1");
  assertThrows(() => benchCounts("gntdev_mmap_rw", 1, native), RangeError, "it exists in self, foreign");
});

Deno.test("hostPrices() follows the measurements and names what it still assumes", () => {
  const text = "operation,n,value,unit\ngetpid,1,95,ns\nuser_rep_movsb,64,40,ns\n";
  const { unit, prices } = hostPrices(parseMeasurements(text, "mine.csv"));
  assertEquals(unit, "ns");
  assertEquals(Math.round(prices.syscall.per), 95);
  assert(isMeasured(prices.syscall));
  assert(!isMeasured(prices.hypercall) && prices.hypercall.source.includes("0.33 ns a cycle"));
  const wrong = parseMeasurements("operation,n,value,unit\ngetpid,1,95,ns\nno_such,1,1,ns\n", "mine.csv");
  assertThrows(() => hostPrices(wrong), RangeError, "Cannot use mine.csv:3:");
});
