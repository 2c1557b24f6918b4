/**
 * Lines through recorded medians, `fixed` + `per_unit` × n: compared with predictions at sizes inside the line's range. A
 * line that is a poor model of its own points says so (`worst_rel_error`); only what is beyond that counts as an error.
 *
 * @module
 */

import { instructionListOf } from "../../cost/instruction_lists.ts";
import { predict } from "../../cost/predict.ts";
import { BenchRuns } from "../../experiments/benches/mod.ts";
import { type CostRow, hasErms } from "../../import/cost_rows.ts";
import { BadInput, type Format, numberedRows, type Row } from "../format.ts";
import type { Report } from "../report.ts";
import { releaseOf } from "./costs.ts";
import { percent, quantile, type RowError, rowError } from "./errors.ts";

const MEMBERS = [
  "machine",
  "cpu",
  "mode",
  "tables",
  "bench",
  "fixed",
  "per_unit",
  "worst_rel_error",
] as const;
const BOUNDS = { median: 0.05, ninth: 0.15 } as const;

/** `costs-fit.jsonl`. */
export const costLines: Format = {
  name: "lines through costs",
  detect: ({ rows }) =>
    rows.length > 0 && rows.every((row) => MEMBERS.every((name) => Object.hasOwn(row, name))),
  async replay(input, report, options) {
    const release = releaseOf(input.path, options);
    const byMachine = new Map<string, RowError[]>();
    let intercepted = 0;
    const runs = new BenchRuns(release.kernel, release.xen);
    for await (const { row, where } of numberedRows(input)) {
      const machine = String(row.machine);
      if (machine === "xenpvh") {
        intercepted++;
        continue;
      }
      const list = instructionListOf(machine, release.kernel, release.xen);
      if (list === undefined) {
        report.fail(where, "a price list", `none is fitted to ${release.kernel} on ${release.xen}`);
        continue;
      }
      for (const n of sizesOf(row)) {
        const size = costRow(row, n, where);
        const counts = runs.countsOf(size);
        if (counts === null) throw new BadInput(where, `no model runs bench "${size.bench}" on "${machine}"`);
        const got = predict(counts, list, { cpu: { erms: hasErms(size) } }).total;
        const error = rowError(`${size.bench} ${n} ${size.mode} ${size.tables}`, size.median!, got);
        const beyond = Math.max(0, error.error - Number(row.worst_rel_error));
        byMachine.set(machine, [...byMachine.get(machine) ?? [], { ...error, error: beyond }]);
      }
    }
    if (intercepted > 0) {
      report.advise();
      report.notes.push(
        `xenpvh: ${intercepted} lines through totals with intercepted RDTSC are not compared`,
      );
    }
    for (const [machine, errors] of byMachine) judge(machine, errors, report);
  },
};

function judge(machine: string, errors: readonly RowError[], report: Report): void {
  const median = quantile(errors, 0.5);
  const ninth = quantile(errors, 0.9);
  const what = `${machine}: points of the lines`;
  const of = `of ${errors.length} points`;
  report.criterion(
    `${what}, median error ≤ ${percent(BOUNDS.median)}`,
    median <= BOUNDS.median,
    `${percent(median)} ${of}`,
  );
  report.criterion(
    `${what}, 90th percentile ≤ ${percent(BOUNDS.ninth)}`,
    ninth <= BOUNDS.ninth,
    `${percent(ninth)} ${of}`,
  );
}

/** Two sizes well inside what the recorded lines were drawn through. */
function sizesOf(row: Row): readonly number[] {
  const bench = String(row.bench);
  if (bench.startsWith("user_rep_")) return [1024, 4096];
  return bench.startsWith("vmsplice_") ? [4, 8] : [16, 64];
}

function costRow(row: Row, n: number, where: string): CostRow {
  const median = Number(row.fixed) + Number(row.per_unit) * n;
  if (!Number.isFinite(median)) throw new BadInput(where, "fixed and per_unit must be numbers");
  return {
    machine: String(row.machine),
    cpu: String(row.cpu),
    mode: String(row.mode),
    tables: String(row.tables),
    bench: String(row.bench),
    n,
    median,
    layers: null,
  };
}
