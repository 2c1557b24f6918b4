import { assert, assertEquals, assertRejects } from "@std/assert";
import { quantile, rowError } from "../../../lib/conform/costs/errors.ts";
import { costLayers, costs, releaseOf } from "../../../lib/conform/costs/costs.ts";
import { costsSmp } from "../../../lib/conform/costs/smp.ts";
import type { Format } from "../../../lib/conform/format.ts";
import { Report } from "../../../lib/conform/report.ts";
import { instructionListOf } from "../../../lib/cost/instruction_lists.ts";
import { predict } from "../../../lib/cost/predict.ts";
import { benchCounts } from "../../../lib/experiments/benches/mod.ts";
import { textInput } from "./text_input.ts";

async function replay(format: Format, rows: readonly unknown[]): Promise<Report> {
  const report = new Report(9);
  await format.replay(textInput(rows.map((row) => JSON.stringify(row))), report, {});
  return report;
}

/** Rows of sizes that no list was fitted to, as predicted, times `factor`. */
function rows(factor: number): unknown[] {
  const list = instructionListOf("linux", "linux6_1", "xen4_17")!;
  return [2, 8, 32].map((n) => {
    const setting = { machine: "linux", mode: "generic", tables: "warm" } as const;
    const median = Math.round(
      factor * predict(benchCounts("odirect_read_anon", n, setting), list, { cpu: { erms: true } }).total,
    );
    return { ...setting, cpu: "max", bench: "odirect_read_anon", n, median };
  });
}

Deno.test("costs passes what is predicted and fails what is not", async () => {
  const good = await replay(costs, rows(1));
  assertEquals([good.passed, good.failed], [4, 0], good.criteria.join("\n"));
  const bad = await replay(costs, rows(3));
  assertEquals([bad.passed, bad.failed], [0, 4], bad.criteria.join("\n"));
  assert(bad.notes.some((note) => note.includes("odirect_read_anon 3×")));
});

Deno.test("costs compares no totals of a PVH machine, and refuses malformed rows", async () => {
  const pvh = {
    machine: "xenpvh",
    cpu: "EPYC",
    mode: "generic",
    tables: "warm",
    bench: "getpid",
    n: 1,
    median: 9,
  };
  const report = await replay(costs, [pvh]);
  assertEquals([report.passed, report.failed, report.advisory], [0, 0, 1]);
  await assertRejects(() => replay(costs, [{ ...pvh, median: -1 }]), Error, "golden:1");
});

Deno.test("costs by layer asks for exact flushes", async () => {
  const row = (invlpg: number) => ({
    machine: "linux",
    mode: "generic",
    tables: "warm",
    bench: "mprotect_ro_touched",
    n: 4,
    user: 22,
    kernel: 3409,
    xen: 0,
    events: { u_syscall: 1, k_invlpg: invlpg },
    hypercalls: {},
  });
  const met = (report: Report) => report.criteria.find((line) => line.includes("INVLPG"))!;
  assert(met(await replay(costLayers, [row(4)])).endsWith("1 of 1 rows: pass"));
  assert(met(await replay(costLayers, [row(5)])).endsWith("0 of 1 rows: FAIL"));
});

Deno.test("costs on two processors sums flushes of both", async () => {
  const row = { machine: "linux", bench: "mprotect_ro_touched_2cpu", n: 34, kernel: 9000, hypercalls: {} };
  assertEquals((await replay(costsSmp, [{ ...row, events: { k_cr3_write: 2 } }])).failed, 0);
  assertEquals((await replay(costsSmp, [{ ...row, events: { k_cr3_write: 1 } }])).failed, 1);
});

Deno.test("releaseOf() reads the folder; what the user chose wins", () => {
  assertEquals(releaseOf("a/linux6_12-xen4_20/costs.jsonl.gz", {}), { kernel: "linux6_12", xen: "xen4_20" });
  assertEquals(releaseOf("a/linux6_12-xen4_20/costs.jsonl", { xen: "xen4_17" }), {
    kernel: "linux6_12",
    xen: "xen4_17",
  });
  assertEquals(releaseOf("costs.jsonl", {}), { kernel: "linux6_1", xen: "xen4_17" });
});

Deno.test("quantile() answers an error that occurs", () => {
  const errors = [10, 20, 30, 40].map((got) => rowError("row", 100, 100 + got));
  assertEquals(quantile(errors, 0.5), 0.2);
  assertEquals(quantile(errors, 0.9), 0.4);
  assertEquals(quantile([], 0.5), 0);
});
