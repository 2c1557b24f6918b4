import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { PAGE } from "../../../lib/core/geometry.ts";
import { ASSUMED_CYCLES } from "../../../lib/cost/assumed_cycles.ts";
import { EXPERIMENTS } from "../../../lib/experiments/catalogue.ts";
import { runExperiment } from "../../../lib/experiments/experiment.ts";
import { shootdownLanes } from "../../../lib/experiments/shootdown_lanes.ts";
import { recordOf, spanCosts } from "../../../lib/experiments/span_costs.ts";
import { world } from "../../../lib/experiments/world.ts";
import {
  chartCall,
  chartChange,
  chartExperiment,
  chartShootdown,
  chartSplit,
} from "../../../lib/repl/chart_experiment.ts";

/** Few points of each experiment, and what its chart must say. */
const FEW: readonly (readonly [keyof typeof EXPERIMENTS, Record<string, (string | number)[]>, string[]])[] = [
  ["flush_batching", { cpus: [1, 6, 24] }, ["flush per batch of 32", "peak", "assumed prices"]],
  ["grant_life", { batch: [32], design: ["linux3_19", "linux6_1"] }, ["map · Linux 3.19", "assumed prices"]],
  ["gup_paths", { pages: [1, 8], design: ["linux6_1"] }, ["fast path", "cycles per page (assumed prices)"]],
  ["lazy_map", { used: [0, 64] }, ["Linux 6.1", "assumed prices"]],
  ["lock_plans", { cpus: [1, 16] }, ["readers per CPU (2016)"]],
  ["map_or_copy", { pages: [11], cpus: [4] }, ["persistent, memcpy"]],
  ["memory_cost", { vmas: [1000, 1_000_000] }, ["8,000,000", "bytes"]],
  ["nested_walk", { levels: [4] }, ["native", "EPT", "24"]],
  ["override_locks", { cpus: [1, 8], operation: ["io"] }, ["Linux 3.19"]],
  ["pv_or_pvh", { batch: [32] }, ["unmap · PVH"]],
  ["safe_unmap", { heldMs: [0, 6] }, ["milliseconds held"]],
  ["split_cost", { vmas: [100] }, ["vma pages v1"]],
  ["split_then_pin", { design: ["seed2014", "linux4_0"] }, ["seed 2014"]],
  ["tlb_working_set", { tlb: ["skylake"], pages: [16, 4096] }, ["references per access"]],
];

Deno.test("chartExperiment() draws every experiment", () => {
  assertEquals(FEW.map(([name]) => name), Object.keys(EXPERIMENTS) as typeof FEW[number][0][]);
  for (const [name, axes, says] of FEW) {
    const text = chartExperiment(runExperiment(EXPERIMENTS[name], axes)).toText(110);
    for (const words of says) assertStringIncludes(text, words, name);
  }
});

Deno.test("chartExperiment(): other rows, other columns, other prices; nothing to draw is said", () => {
  const result = runExperiment(EXPERIMENTS.gup_paths, { pages: [1, 8], design: ["linux3_19", "linux6_1"] });
  const text = chartExperiment(result, { where: { memory: "grants", walk: "fast" }, series: "design" })
    .toText(100);
  assertStringIncludes(text, "Linux 3.19");
  assertStringIncludes(text, "kind of memory: grants");
  const prices = { ...ASSUMED_CYCLES, unit: "ns" } as const;
  assertStringIncludes(chartExperiment(result, { prices }).toText(100), "ns per page");
  assertThrows(
    () => chartExperiment(result, { where: { memory: "borrowed" } }),
    RangeError,
    "no row has the values wished for",
  );
});

Deno.test("chartExperiment() draws against the axis that numbers were chosen of, and its title stays true", () => {
  const textOf = (name: keyof typeof EXPERIMENTS, axes: Record<string, (string | number)[]>) =>
    chartExperiment(runExperiment(EXPERIMENTS[name], axes)).toText(110);
  const rows: [keyof typeof EXPERIMENTS, Record<string, (string | number)[]>, says: string[]][] = [
    ["map_or_copy", { pages: [2, 3], cpus: [1] }, ["which costs less?", "bytes of each page: 4096; CPUs: 1"]],
    ["map_or_copy", { bytes: [4096] }, ["by pages", "CPUs: 4", "64 map and unmap"]],
    ["grant_life", { batch: [64] }, [
      "of n grants cost?",
      "grants in one call: 64",
      "line: range of the total",
    ]],
    ["grant_life", { batch: [8, 64] }, ["by grants in one call", " 8 Linux 3.19"]],
    ["split_cost", { vmas: [1, 2] }, ["by further VMAs of the process", "seed 2014"]],
    ["flush_batching", { batch: [1, 8], cpus: [4] }, [
      "operations per million cycles",
      "by grants in one call",
    ]],
    ["flush_batching", { touched: ["no", "yes"], cpus: [1, 4] }, [
      "per_op · yes",
      "flush policy · use by dom0",
    ]],
    ["lock_plans", { work: ["map"], cpus: [1] }, ["How far do the lock plans", "work: map"]],
    ["grant_life", { xen: ["xen4_5", "xen4_17"] }, [
      "grants in one call: 32",
      "bars: kernel flavour · xen flavour",
    ]],
    ["map_or_copy", { pages: [1, 2, 3, 4, 5], bytes: [64, 128] }, ["by bytes of each page", "pages: 5"]],
  ];
  for (const [name, axes, says] of rows) {
    const text = textOf(name, axes);
    for (const words of says) assertStringIncludes(text, words);
  }
});

Deno.test("chartExperiment() adds up the steps of a life, and never two values of an axis", () => {
  const one = runExperiment(EXPERIMENTS.grant_life, { batch: [8], design: ["linux6_1"] });
  const two = runExperiment(EXPERIMENTS.grant_life, { batch: [8, 64], design: ["linux6_1"] });
  const amounts = (chartExperiment(two).rows as { x: number; amount: number }[]).map(({ amount }) => amount);
  const bars = chartExperiment(one).rows as { amount: number }[];
  assertEquals(amounts[0], bars.reduce((sum, { amount }) => sum + amount, 0));
  assertEquals(amounts.length, 2);
});

Deno.test("chartChange() compares two designs step by step", () => {
  const result = runExperiment(EXPERIMENTS.grant_life, { design: ["linux3_19", "linux6_1"], batch: 32 });
  const text = chartChange(result, "design", ["linux3_19", "linux6_1"]).toText(100);
  for (const words of ["Linux 3.19 against Linux 6.1", "unmap", "same", "assumed prices"]) {
    assertStringIncludes(text, words);
  }
  assertThrows(
    () => chartChange(result, "design", ["linux3_19", "linux4_0"]),
    RangeError,
    "no row has that value",
  );
});

function stage() {
  const w = world();
  const qemu = w.process("qemu");
  const { start } = qemu.mmapGrants(w.guest.grant(8));
  return { w, qemu, start };
}

Deno.test("spanCosts(): spans nest, none is longer than its caller, the whole is the sum of all prices", () => {
  const { w, qemu, start } = stage();
  const lines = recordOf(w.trace, () => qemu.munmap(start + 4 * PAGE, PAGE));
  const spans = spanCosts("call", lines, ASSUMED_CYCLES);
  assertEquals(spans.map(({ name, depth }) => `${depth} ${name}`), [
    "0 call",
    "1 munmap",
    "2 gntdev_invalidate",
    "3 gnttab_unmap_refs",
    "4 grant_table_op",
    "4 grant_table_op",
    "2 free_pgtables",
  ]);
  for (const { from, to, depth } of spans.slice(1)) {
    assert(spans.some((caller) => caller.depth === depth - 1 && caller.from <= from && to <= caller.to));
  }
  const total = lines.reduce(
    (sum, { what, name, times }) =>
      what === "event" ? sum + times * ASSUMED_CYCLES.prices[name as "hypercall"].per : sum,
    0,
  );
  assertEquals([spans[0]!.from, spans[0]!.to, spans[4]!.layer], [0, total, "xen"]);
  assertEquals(w.trace.sink, null);
});

Deno.test("spans change no count", () => {
  const counts = [false, true].map((isRecorded) => {
    const { w, qemu, start } = stage();
    const mark = w.trace.mark();
    const call = () => qemu.directRead(start, 2 * PAGE);
    if (isRecorded) recordOf(w.trace, call);
    else call();
    return w.trace.since(mark);
  });
  assertEquals(counts[0], counts[1]);
});

Deno.test("shootdownLanes(): who is told later is stale for longer; idle CPUs are left alone by lazy only", () => {
  const stale = (options: Parameters<typeof shootdownLanes>[0]) =>
    shootdownLanes(options, ASSUMED_CYCLES).filter(({ what }) => what === "stale").map((
      { cpu, to },
    ) => [cpu, to]);
  // Entry 20, own INVLPG 300, then 300 to send and 300 to take each.
  assertEquals(stale({ cpus: 4 }), [[1, 920], [2, 1220], [3, 1520]]);
  assertEquals(stale({ cpus: 3, idle: [1], policy: "lazy" }), [[2, 920]]);
  assertEquals(stale({ cpus: 3, idle: [1] }).length, 2);
  const lanes = shootdownLanes({ cpus: 3, idle: [1], policy: "lazy" }, ASSUMED_CYCLES);
  assertEquals(lanes.filter(({ what }) => what === "idle, owes").map(({ cpu }) => cpu), [1]);
  const ends = Object.groupBy(shootdownLanes({ cpus: 3, pages: 40 }, ASSUMED_CYCLES), ({ what }) => what);
  assertEquals(
    ends["invalidates"]!.map(({ from, to }) => to - from),
    [300, 300, 300],
    "above 33 pages: one CR3 write",
  );
  assertThrows(() => shootdownLanes({ cpus: 0 }, ASSUMED_CYCLES), RangeError, "CPUs, of number 0");
});

Deno.test("chartCall, chartShootdown, chartSplit draw a live host", () => {
  const { qemu, start } = stage();
  assertStringIncludes(
    chartCall(qemu, "direct I/O", () => qemu.directRead(start, PAGE)).toText(90),
    "get_user_pages",
  );
  assertStringIncludes(chartShootdown({ cpus: 3 }).toText(90), "eager; stale");
  const text = chartSplit(qemu, { start, pages: 8 }, () => qemu.munmap(start + 4 * PAGE, PAGE)).toText(90);
  for (const words of ["before  AAAAAAAA", "after   AAAA.BBB", "5:0x715"]) assertStringIncludes(text, words);
});
