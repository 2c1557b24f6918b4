/**
 * Recorded calls on two processors: what is flushed where. Instructions are not compared, since they run beside a spinning
 * thread and timer interrupts; INVLPG and full flushes are, summed over both processors.
 *
 * @module
 */

import type { CostCounts } from "../../cost/operations.ts";
import { benchCounts, type BenchMachine } from "../../experiments/benches/mod.ts";
import { BadInput, type Format, numberedRows, type Row } from "../format.ts";
import { exact } from "./exact.ts";

/** `costs-smp.jsonl`. */
export const costsSmp: Format = {
  name: "costs on two processors",
  detect: ({ rows }) =>
    rows.length > 0 && rows.every((row) => SMP_BENCH.test(String(row.bench)) && "kernel" in row),
  async replay(input, report) {
    const rows: SmpRow[] = [];
    for await (const { row, where } of numberedRows(input)) rows.push(smpRow(row, where));
    for (const machine of new Set(rows.map((row) => row.machine))) {
      const own = rows.filter((row) => row.machine === machine);
      const prefix = machine === "linux" ? "k" : "x";
      exact(`${machine}: INVLPG`, own, report, {
        name: nameOf,
        recorded: ({ events }) => events[`${prefix}_invlpg`] ?? 0,
        counted: ({ counts }) => counts.invlpg ?? 0,
      });
      const calm = own.filter(({ isNoisy }) => !isNoisy);
      if (calm.length < own.length) {
        report.notes.push(
          `${machine}: ${own.length - calm.length} rows with timer interrupts or events inside: INVLPG only`,
        );
      }
      exact(`${machine}: full flushes`, calm, report, {
        name: nameOf,
        recorded: ({ events }) => (events[`${prefix}_cr3_write`] ?? 0) - (machine === "linux" ? 0 : 2),
        counted: ({ counts }) => (machine === "linux" ? counts.cr3_write : counts.tlb_flush_full) ?? 0,
      });
      if (machine === "linux") continue;
      exact(`${machine}: hypercalls at call sites`, calm, report, {
        name: nameOf,
        recorded: ({ hypercalls }) => hypercalls,
        counted: ({ counts }) => counts.hypercall ?? 0,
      });
    }
  },
};

const SMP_BENCH = /^(.*)_([12])cpu$/;

/** Hypercalls of timers and of events between processors. */
const NOISE: readonly string[] = ["17", "24", "25", "29"];

interface SmpRow {
  readonly machine: string;
  readonly bench: string;
  readonly n: number;
  readonly events: Readonly<Record<string, number>>;
  readonly hypercalls: number;
  readonly isNoisy: boolean;
  readonly counts: CostCounts;
}

function smpRow(row: Row, where: string): SmpRow {
  const [, bench, cpus] = SMP_BENCH.exec(String(row.bench))!;
  const machine = String(row.machine);
  if (machine !== "linux" && machine !== "xenpv") {
    throw new BadInput(where, `no machine "${machine}" has two processors`);
  }
  const hypercalls = (row.hypercalls ?? {}) as Record<string, number>;
  let counts: CostCounts;
  try {
    counts = benchCounts(bench!, Number(row.n), {
      machine: machine as BenchMachine,
      mode: "generic",
      tables: "warm",
      cpus: cpus === "2" ? 2 : 1,
    });
  } catch (e) {
    throw new BadInput(where, (e as Error).message);
  }
  return {
    machine,
    bench: String(row.bench),
    n: Number(row.n),
    events: (row.events ?? {}) as Record<string, number>,
    hypercalls: Object.values(hypercalls).reduce((sum, n) => sum + n, 0),
    isNoisy: NOISE.some((number) => Object.hasOwn(hypercalls, number)),
    counts,
  };
}

function nameOf({ bench, n }: SmpRow): string {
  return `${bench} ${n}`;
}
