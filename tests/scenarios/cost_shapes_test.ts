/**
 * The shapes that published figures have, (a) to (e): peaks, caps, crossovers, and what must cost nothing. The figures
 * themselves are of other machines; what must come out here is who wins, where it bends, and by about how much.
 */

import { assert, assertEquals } from "@std/assert";
import { ASSUMED_CYCLES } from "../../lib/cost/assumed_cycles.ts";
import { contended } from "../../lib/cost/contention.ts";
import type { PriceList } from "../../lib/cost/price.ts";
import { EXPERIMENTS } from "../../lib/experiments/catalogue.ts";
import { runExperiment } from "../../lib/experiments/experiment.ts";
import { GrantHost } from "../../lib/experiments/grant_host.ts";
import { throughputRows } from "../../lib/experiments/priced_rows.ts";
import { gnttabBatchCopy } from "../../lib/linux/xen/gnttab.ts";
import { DOMID_SELF, GNTCOPY_source_gref } from "../../lib/xen/abi.ts";
import { xen4_17 } from "../../lib/xen/flavours.ts";

const CPUS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24];

function throughput(way: string, prices: PriceList = ASSUMED_CYCLES): number[] {
  const { rows } = runExperiment(EXPERIMENTS.map_or_copy, { way, pages: 11, bytes: 4096, cpus: CPUS });
  return throughputRows(rows, prices).map((row) => row.throughput);
}

Deno.test("(a) block back end: throughput rises, peaks, falls as CPUs grow; persistence removes the fall", () => {
  const mapped = throughput("map");
  const peak = mapped.indexOf(Math.max(...mapped));
  assert(CPUS[peak]! >= 3 && CPUS[peak]! <= 8, `peak at ${CPUS[peak]} CPUs`);
  for (let i = 1; i < CPUS.length; i++) {
    assertEquals(mapped[i]! > mapped[i - 1]!, i <= peak, `${CPUS[i]} CPUs`);
  }
  // 2012: about 650 000 at 5 guests, about 400 000 at 10.
  const fall = mapped[CPUS.indexOf(10)]! / mapped[peak]!;
  assert(fall > 0.4 && fall < 0.85, `${fall}`);
  const persistent = throughput("persistent");
  for (let i = 1; i < CPUS.length; i++) assert(persistent[i]! > persistent[i - 1]!);
});

Deno.test("(b) grant lock: a global count of readers caps throughput, readers per CPU lift it at least threefold", () => {
  const of = (plan: string, cpus: number) => {
    const { rows } = runExperiment(EXPERIMENTS.lock_plans, { plan, cpus });
    return throughputRows(rows, ASSUMED_CYCLES)[0]!.throughput;
  };
  assert(of("split_rwlock", 32) <= 1.02 * of("split_rwlock", 16), "more CPUs do not help");
  assert(of("per_cpu_rwlock", 16) >= 3 * of("split_rwlock", 16));
  assert(of("per_cpu_rwlock", 16) >= 3 * of("single_spin_lock", 16));
  const alone = ["single_spin_lock", "split_rwlock", "per_cpu_rwlock"].map((plan) => of(plan, 1));
  assert(Math.max(...alone) / Math.min(...alone) < 1.25, "one CPU hardly notices");
});

Deno.test("(c) copies that keep pages between operations help where neighbours share a page, and nothing else", () => {
  const copies = (copyKeepsPages: boolean, opsPerPage: number) => {
    const host = new GrantHost({ xen: { ...xen4_17, copyKeepsPages }, grants: 16 });
    const gmfn = host.kernel.system.frameOf(host.kernel.system.memMap.allocPage());
    // Receive: several small packets into one granted page. Transmit and disk: a page for each operation.
    const ops = host.grants(0, 16).flatMap((grant, i) =>
      i % opsPerPage !== 0 ? [] : Array.from({ length: opsPerPage }, (_, k) => ({
        source: { ...grant, offset: k * 64 },
        dest: { domid: DOMID_SELF, gmfn, offset: 0 },
        len: 64,
        flags: GNTCOPY_source_gref,
        status: 1,
      }))
    );
    return host.count(() => gnttabBatchCopy(host.kernel, ops));
  };
  const [kept, released] = [copies(true, 8), copies(false, 8)];
  assertEquals([kept.gnttab_op, released.gnttab_op], [16, 16]);
  assert(4 * kept.active_lock! <= released.active_lock!, `${kept.active_lock} ${released.active_lock}`);
  const [page, again] = [copies(true, 1), copies(false, 1)];
  // The caller's own page still stays pinned; the grants gain nothing.
  assertEquals([page.active_lock, page.gt_lock], [again.active_lock, again.gt_lock]);
});

Deno.test("(d) persistence loses on few CPUs where a copy is dear against a map, and wins from some number on", () => {
  // Copies at the high end of their range, all else at its low end.
  const prices = Object.fromEntries(
    Object.entries(ASSUMED_CYCLES.prices).map(([event, price]) => {
      const per = event === "page_copy" || event === "vma_find" ? price.high : price.low;
      return [event, { ...price, per, low: per, high: per }];
    }),
  ) as PriceList["prices"];
  const list = { ...ASSUMED_CYCLES, name: "dear copies", prices };
  const [mapped, persistent] = [throughput("map", list), throughput("persistent", list)];
  const wins = CPUS.map((_, i) => persistent[i]! > mapped[i]!);
  const first = wins.indexOf(true);
  assert(first > 0, `${wins}`);
  assertEquals(wins, CPUS.map((_, i) => i >= first), "one crossover");
  // At the prices as they stand a copy is cheaper than a map, so persistence wins everywhere.
  const nominal = throughput("map");
  assert(throughput("persistent").every((value, i) => value > nominal[i]!));
});

Deno.test("(e) native paths pay nothing for SPECIAL: fast GUP on own memory counts the same in designs i, ii, iii", () => {
  const own = (design: string) =>
    runExperiment(EXPERIMENTS.gup_paths, { design, memory: "own" }).rows.map((
      { at: { design: _, ...at }, events },
    ) => [
      at,
      events,
    ]);
  const [i, ii, iii] = ["seed2014", "vma_pages_v1", "linux4_0"].map(own);
  assertEquals(i, ii);
  assertEquals(ii, iii);
  assert(contended({ gup_fast_pte: 1, syscall: 1 }, { cpus: 8, prices: ASSUMED_CYCLES }).speedup > 7.99);
});
