/**
 * What each experiment must find, written down: rules of the model that the figures stand on.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { EXPERIMENTS } from "../../../lib/experiments/catalogue.ts";
import { runExperiment } from "../../../lib/experiments/experiment.ts";

type Name = keyof typeof EXPERIMENTS;
const rowsOf = (name: Name, wishes: Record<string, number | string | (number | string)[]>) =>
  runExperiment(EXPERIMENTS[name], wishes).rows;
const eventsOf = (name: Name, wishes: Record<string, number | string>) => rowsOf(name, wishes)[0]!.events;

Deno.test("gup_paths: own memory goes fast, grants slow; the slow path takes one lock, the fast none", () => {
  for (const design of ["linux3_19", "seed2014", "linux6_1"]) {
    const own = rowsOf("gup_paths", { design, memory: "own", pages: 8 });
    assertEquals(own.map(({ at }) => at["path"]), ["fast", "slow"]);
    assertEquals([own[0]!.events.gup_fast_pte, own[0]!.events.mmap_lock, own[0]!.events.refcount], [
      8,
      undefined,
      16,
    ]);
    assertEquals([own[1]!.events.gup_slow_page, own[1]!.events.mmap_lock], [8, 1]);
  }
  const grants = (design: string) =>
    rowsOf("gup_paths", { design, memory: "grants", walk: "fast", pages: 8 })[0]!;
  assertEquals(["linux3_19", "seed2014", "linux6_1"].map((design) => grants(design).at["path"]), [
    "fast", // the override makes foreign entries look local
    "slow",
    "slow",
  ]);
});

Deno.test("grant_life: two operations a grant, one flush for each 32 of a call and half", () => {
  for (const [batch, flushes] of [[1, 2], [32, 2], [33, 4], [64, 4], [65, 6]] as const) {
    const rows = rowsOf("grant_life", { design: "linux6_1", batch });
    const events = Object.fromEntries(rows.map(({ at, events }) => [at["step"]!, events]));
    assertEquals([events["map"]!.gnttab_op, events["unmap"]!.gnttab_op], [2 * batch, 2 * batch]);
    // One more for each of the three page tables that go with the mapping, when it becomes memory again.
    assertEquals(events["unmap"]!.flush_tlb_mask, flushes + 3, `${batch}`);
    assertEquals(events["touch"]!.user_access, batch);
  }
});

Deno.test("flush_batching: one flush per batch, per operation, or none; one interrupt per further CPU and flush", () => {
  const table: [policy: string, touched: string, cpus: number, flushes: number, ipis: number][] = [
    ["per_batch", "no", 1, 1, 0],
    ["per_batch", "no", 8, 1, 7],
    ["per_op", "no", 8, 11, 77],
    ["if_accessed", "no", 8, 0, 0],
    ["if_accessed", "yes", 8, 1, 7],
  ];
  for (const [policy, touched, cpus, flushes, ipis] of table) {
    const { flush_tlb_mask = 0, ipi = 0 } = eventsOf("flush_batching", { policy, touched, cpus });
    assertEquals([flush_tlb_mask, ipi], [flushes, ipis], `${policy} ${touched} ${cpus}`);
  }
  assertEquals(eventsOf("flush_batching", { policy: "per_batch", batch: 33, cpus: 2 }).flush_tlb_mask, 2);
});

Deno.test("lock_plans: each plan takes locks of its own class, as often", () => {
  const of = (plan: string) => eventsOf("lock_plans", { plan, grants: 4, cpus: 1 });
  assertEquals([of("single_spin_lock").gt_spin_lock, of("single_spin_lock").active_lock], [8, undefined]);
  assertEquals([of("split_rwlock").gt_rw_lock, of("split_rwlock").active_lock], [8, 8]);
  assertEquals([of("per_cpu_rwlock").gt_lock, of("per_cpu_rwlock").active_lock], [8, 8]);
});

Deno.test("map_or_copy: a map flushes, a copy does not; warm persistent grants make no hypercall", () => {
  const of = (way: string) => eventsOf("map_or_copy", { way, pages: 65, bytes: 64, cpus: 2 });
  assertEquals([of("map").hypercall, of("map").flush_tlb_mask, of("map").ipi], [2, 3, 3]);
  assertEquals([of("copy").hypercall, of("copy").flush_tlb_mask, of("copy").xen_copy_bytes], [
    2,
    undefined,
    4160,
  ]);
  assertEquals(of("persistent"), { page_copy: 65 * 64 / 4096, vma_find: 65 });
});

Deno.test("pv_or_pvh: PV maps twice and flushes a batch once, PVH maps once and flushes each", () => {
  const of = (guest: string) => {
    const rows = rowsOf("pv_or_pvh", { guest, batch: 64 });
    return Object.fromEntries(rows.map(({ at, events }) => [at["step"]!, events]));
  };
  const [pv, pvh] = [of("pv"), of("pvh")];
  assertEquals([pv["map"]!.gnttab_op, pvh["map"]!.gnttab_op], [128, 64]);
  assertEquals([pv["unmap"]!.flush_tlb_mask, pvh["unmap"]!.flush_tlb_mask], [4 + 3, 64]);
  assertEquals([pv["map"]!.xen_p2m_update, pvh["map"]!.xen_p2m_update], [undefined, 64]);
  assertEquals([pv["io"]!.gup_slow_page, pvh["io"]!.gup_slow_page], [64, undefined]);
});

Deno.test("safe_unmap: looks after 5, 15, 30, 50 … ms", () => {
  const rows = rowsOf("safe_unmap", { heldMs: [0, 1, 4, 6, 14, 16, 29, 31] });
  assertEquals(rows.map(({ amounts }) => amounts["unmappedMs"]), [0, 5, 5, 15, 15, 30, 30, 50]);
});

Deno.test("memory_cost: a word in every VMA, a table, or nothing", () => {
  const bytes = (design: string) =>
    rowsOf("memory_cost", { design, vmas: [1, 1_000_000] }).map(({ amounts }) => amounts["bytes"]);
  assertEquals(bytes("linux3_19"), [16384, 16384]);
  for (const design of ["draft_b", "seed2014", "vma_pages_v1"]) assertEquals(bytes(design), [8, 8_000_000]);
  for (const design of ["linux4_0", "linux6_1"]) assertEquals(bytes(design), [0, 0]);
});

Deno.test("nested_walk: (n + 1)(m + 1) − 1 references", () => {
  const references = (wishes: Record<string, number | string>) =>
    rowsOf("nested_walk", { tables: "ept", levels: 4, page: "4K", nestedPage: "4K", ...wishes })[0]!
      .amounts["references"];
  assertEquals(references({}), 24);
  assertEquals(references({ tables: "native" }), 4);
  assertEquals(references({ levels: 5 }), 29);
  assertEquals(references({ page: "2M", nestedPage: "2M" }), 15);
});

Deno.test("split_cost: one more VMA in every design; the tree's size is not what costs", () => {
  for (const design of ["linux3_19", "seed2014", "vma_pages_v1", "linux4_0", "linux6_1"]) {
    const [none, many] = rowsOf("split_cost", { design, vmas: [0, 100] });
    assertEquals([none!.amounts["newVmas"], many!.amounts["newVmas"]], [1, 1]);
    assertEquals(none!.events.vma_find, many!.events.vma_find);
  }
});

Deno.test("override_locks: only m2p_override takes its lock, once a page of I/O", () => {
  const of = (design: string) => eventsOf("override_locks", { design, operation: "io", cpus: 1 });
  assert(of("linux3_19").override_lock === 32, `${of("linux3_19").override_lock}`);
  assertEquals(["vma_pages_v1", "linux4_0", "linux6_1"].map((d) => of(d).override_lock), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("lazy_map: on fault costs hypercalls for each page used, by a program or by I/O; at once costs the same always", () => {
  const grantCalls = (design: string, by: string) =>
    rowsOf("lazy_map", { design, by, batch: 64, used: [0, 1, 64] }).map(({ events }) =>
      events.hc_grant_table_op
    );
  for (const by of ["program", "io"]) {
    assertEquals(grantCalls("linux6_1", by), [4, 4, 4], by);
    const [none, one, all] = grantCalls("lazy_fault", by);
    assertEquals([none, one, all], [undefined, 4, 4 + 2 * 63], by);
  }
  assertThrows(
    () => eventsOf("lazy_map", { batch: 8, used: 9 }),
    RangeError,
    "Cannot use pages, of number 9",
  );
});

Deno.test("split_then_pin: every page of each design, with its verdict", () => {
  const verdicts = (design: string) =>
    rowsOf("split_then_pin", { design, pages: 4, cut: 1 }).map(({ at }) => at["verdict"]);
  assertEquals(verdicts("linux6_1"), ["ok", "ok", "ok", "ok"]);
  // Behind the cut page n is looked up as n - 2: first page 0, then the page that is gone.
  assertEquals(verdicts("seed2014"), ["ok", "ok", "wrong-page", "errno"]);
  assertThrows(() => rowsOf("split_then_pin", { pages: 4, cut: 4 }), RangeError, "Cannot unmap page 4");
});

Deno.test("tlb_working_set: what fits costs nothing, another seed is another run", () => {
  const of = (pages: number, seed: number) =>
    rowsOf("tlb_working_set", { tlb: "skylake", pages, seed })[0]!.amounts["referencesPerAccess"]!;
  assertEquals(of(16, 1), 0);
  assert(of(4096, 1) > 0.5 && of(4096, 1) !== of(4096, 2));
});
