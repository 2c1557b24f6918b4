/**
 * What is asked of predictions, per machine: benches never seen, sizes never seen, hypercalls, flushes.
 *
 * @module
 */

import { innerSizes } from "../../cost/calibrate.ts";
import type { InstructionList } from "../../cost/instruction_list.ts";
import { predict } from "../../cost/predict.ts";
import type { ObservedRow } from "../../experiments/benches/observations.ts";
import { hasTimerNoise } from "../../import/cost_rows.ts";
import { callSites } from "../../linux/xen/call_sites.ts";
import type { Report } from "../report.ts";
import { exact } from "./exact.ts";
import { percent, quantile, type RowError, rowError } from "./errors.ts";

/** Bounds of the criteria, as shares. */
const BENCH_BOUNDS = { median: 0.15, ninth: 0.35 } as const;
const SIZE_BOUNDS = { median: 0.05, ninth: 0.15 } as const;

/** Checks the rows of one machine against a list. */
export function checkPrices(
  machine: string,
  rows: readonly ObservedRow[],
  list: InstructionList,
  report: Report,
): void {
  const benches = rows.map((row) =>
    rowError(
      nameOf(row),
      row.total,
      predict(row.counts, list, { cpu: row.cpu, withoutBench: row.bench }).total,
    )
  );
  checkQuantiles(`${machine}: a bench left out of the fit`, benches, BENCH_BOUNDS, report);
  explainMisses(`${machine}: a bench left out`, benches, BENCH_BOUNDS.ninth, report);
  checkSizes(machine, rows, list, report);
  noteLayers(machine, rows, list, report);
}

/** Sizes that the list was not fitted to; in rows of sizes that it was, those between others, left out one by one. */
function checkSizes(
  machine: string,
  rows: readonly ObservedRow[],
  list: InstructionList,
  report: Report,
): void {
  const isFresh = ({ n }: ObservedRow) => !list.sizes.includes(n);
  const isInner = innerOf(rows);
  const asked = rows.some(isFresh) ? rows.filter(isFresh) : rows.filter(isInner);
  const what = rows.some(isFresh) ? "sizes not in the fit" : "inner sizes, each left out of the fit";
  if (asked.length === 0) {
    report.notes.push(`${machine}: no row of a size that can be left out`);
    return;
  }
  const errors = asked.map((row) => {
    const option = isFresh(row) ? {} : { withoutSize: row.n };
    return rowError(nameOf(row), row.total, predict(row.counts, list, { cpu: row.cpu, ...option }).total);
  });
  checkQuantiles(`${machine}: ${what}`, errors, SIZE_BOUNDS, report);
  explainMisses(`${machine}: ${what}`, errors, SIZE_BOUNDS.ninth, report);
  const baseline = asked.filter(isInner).flatMap((row) => interpolated(row, rows) ?? []);
  report.criteria.push(
    `${machine}: baseline, interpolation between neighbouring sizes of this file, ${baseline.length} rows: ` +
      `median ${percent(quantile(baseline, 0.5))}, 90th percentile ${percent(quantile(baseline, 0.9))}`,
  );
}

function checkQuantiles(
  what: string,
  errors: readonly RowError[],
  bounds: { readonly median: number; readonly ninth: number },
  report: Report,
): void {
  const median = quantile(errors, 0.5);
  const ninth = quantile(errors, 0.9);
  const rows = `${errors.length} rows`;
  report.criterion(
    `${what}, median relative error ≤ ${percent(bounds.median)}`,
    median <= bounds.median,
    `${percent(median)} of ${rows}`,
  );
  report.criterion(
    `${what}, 90th percentile ≤ ${percent(bounds.ninth)}`,
    ninth <= bounds.ninth,
    `${percent(ninth)} of ${rows}`,
  );
}

/** A note on the benches whose rows are beyond the bound, worst first. */
function explainMisses(what: string, errors: readonly RowError[], bound: number, report: Report): void {
  const byBench = new Map<string, number[]>();
  for (const { where, error } of errors) {
    if (error <= bound) continue;
    const bench = where.split(" ")[0]!;
    byBench.set(bench, [...byBench.get(bench) ?? [], error]);
  }
  const worst = [...byBench].sort((a, b) => Math.max(...b[1]) - Math.max(...a[1]));
  if (worst.length === 0) return;
  const list = worst.map(([bench, found]) =>
    `${bench} ${found.length}× up to ${percent(Math.max(...found))}`
  );
  report.notes.push(`${what}, beyond ${percent(bound)}: ${list.join("; ")}`);
}

/** How well each layer is predicted, where the rows say. Decides nothing. */
function noteLayers(
  machine: string,
  rows: readonly ObservedRow[],
  list: InstructionList,
  report: Report,
): void {
  for (const layer of ["kernel", "xen"] as const) {
    const errors = rows.flatMap((row) => {
      if (row.layers === undefined || row.layers[layer] === 0) return [];
      const got = predict(row.counts, list, { cpu: row.cpu }).byLayer[layer];
      return [{
        ...rowError(nameOf(row), row.layers[layer], got),
        error: Math.abs(got - row.layers[layer]) / row.total,
      }];
    });
    if (errors.length === 0) continue;
    report.notes.push(
      `${machine}: layer ${layer}, all benches in the fit, error relative to the total: ` +
        `median ${percent(quantile(errors, 0.5))}, 90th percentile ${
          percent(quantile(errors, 0.9))
        } of ${errors.length} rows`,
    );
  }
}

/** Hypercalls and flushes of rows by layer, each exact or listed. */
export function checkEvents(machine: string, rows: readonly ObservedRow[], report: Report): void {
  const calm = rows.filter(({ row }) => !hasTimerNoise(row) && row.bench !== "fork_exit_wait");
  if (calm.length < rows.length) {
    report.notes.push(
      `${machine}: ${
        rows.length - calm.length
      } rows with a fork or timer interrupt are left out of exact checks`,
    );
  }
  if (machine === "xenpv") {
    exact(`${machine}: grant_table_op count`, calm, report, {
      name: nameOf,
      recorded: ({ row }) => row.layers!.hypercalls[GRANT_TABLE_OP] ?? null,
      counted: ({ counts }) => callSites(counts)[GRANT_TABLE_OP],
    });
    exact(`${machine}: hypercalls at call sites`, calm, report, {
      name: nameOf,
      recorded: ({ row }) => Object.values(row.layers!.hypercalls).reduce((sum, n) => sum + n, 0),
      counted: ({ counts }) => counts.hypercall ?? 0,
    });
  }
  exact(`${machine}: INVLPG`, calm, report, {
    name: nameOf,
    recorded: ({ row }) => row.layers!.events[machine === "xenpv" ? "x_invlpg" : "k_invlpg"] ?? 0,
    counted: ({ counts }) => counts.invlpg ?? 0,
  });
  exact(`${machine}: full flushes`, calm, report, {
    name: nameOf,
    recorded: (row) => recordedFullFlushes(machine, row),
    counted: ({ counts }) => (machine === "xenpv" ? counts.tlb_flush_full : counts.cr3_write) ?? 0,
  });
}

const GRANT_TABLE_OP = 20;

/**
 * Full flushes in a row: what the guest's kernel does by a write to CR3; what Xen does for a PVH guest writes none. Under Xen PV each way into Xen from user mode and back loads CR3 once (page-table isolation);
 * what is beyond that is a flush.
 *
 * @cite xen 4.17 xen/arch/x86/x86_64/entry.S lstar_enter
 */
function recordedFullFlushes(machine: string, { row, counts }: ObservedRow): number {
  const { events } = row.layers!;
  if (machine !== "xenpv") return events.k_cr3_write ?? 0;
  const crossings = (counts.syscall ?? 0) + (counts.fault_entry ?? 0);
  return (events.x_cr3_write ?? 0) - 2 * crossings;
}

/** Does the row's bench have smaller and larger sizes, in this setting? */
function innerOf(rows: readonly ObservedRow[]): (row: ObservedRow) => boolean {
  const inner = new Map<string, readonly number[]>();
  for (const row of rows) {
    const key = settingOf(row);
    if (inner.has(key)) continue;
    inner.set(key, innerSizes(rows.filter((other) => settingOf(other) === key)));
  }
  return (row) => inner.get(settingOf(row))!.includes(row.n);
}

/** The mean of the next smaller and larger size, weighted by distance. */
function interpolated(row: ObservedRow, rows: readonly ObservedRow[]): RowError | null {
  const key = settingOf(row);
  const series = rows.filter((other) => settingOf(other) === key).sort((a, b) => a.n - b.n);
  const at = series.indexOf(row);
  const [before, after] = [series[at - 1], series[at + 1]];
  if (before === undefined || after === undefined) return null;
  const share = (row.n - before.n) / (after.n - before.n);
  return rowError(nameOf(row), row.total, before.total + share * (after.total - before.total));
}

function settingOf({ row }: ObservedRow): string {
  return [row.bench, row.mode, row.tables, row.cpu].join(" ");
}

function nameOf({ row }: ObservedRow): string {
  return [row.bench, row.n, row.mode, row.tables, ...(row.cpu === null ? [] : [row.cpu])].join(" ");
}
