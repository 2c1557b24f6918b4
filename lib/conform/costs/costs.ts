/**
 * Recorded costs against predictions. Every bench of the file is run over the model, its counts are priced with the list
 * that comes with the project, and what is asked per machine passes or fails as a whole (`criteria.ts`): a list of
 * prices is right or wrong, not a row.
 *
 * Which list: that of the release in the folder's name (`linux6_1-xen4_20`), or of the flavours asked for, or of Linux
 * 6.1 on Xen 4.17. The file itself is never fitted to.
 *
 * @module
 */

import type { InstructionList } from "../../cost/instruction_list.ts";
import { instructionListOf } from "../../cost/instruction_lists.ts";
import { BenchRuns, FRAME_BENCH, frameOf, observe, type ObservedRow } from "../../experiments/benches/mod.ts";
import { type CostRow, parseCostRow } from "../../import/cost_rows.ts";
import { BadInput, type Format, type Input, numberedRows, type ReplayOptions, type Row } from "../format.ts";
import type { Report } from "../report.ts";
import { checkEvents, checkPrices } from "./criteria.ts";

const has = (row: Row, ...names: string[]) => names.every((name) => Object.hasOwn(row, name));

/** Totals: `costs.jsonl`. */
export const costs: Format = {
  name: "costs",
  detect: ({ rows }) =>
    rows.length > 0 && rows.every((row) => has(row, "machine", "bench", "mode", "median")),
  replay,
};

/** By layer: `costs-layers.jsonl`. */
export const costLayers: Format = {
  name: "costs by layer",
  detect: ({ rows }) =>
    rows.length > 0 && rows.every((row) => has(row, "machine", "bench", "mode", "kernel", "xen")),
  replay,
};

async function replay(input: Input, report: Report, options: ReplayOptions): Promise<void> {
  const rows: CostRow[] = [];
  for await (const { row, where } of numberedRows(input)) {
    try {
      rows.push(parseCostRow(row));
    } catch (e) {
      throw new BadInput(where, (e as Error).message);
    }
  }
  const release = releaseOf(input.path, options);
  for (const machine of new Set(rows.map((row) => row.machine))) {
    checkMachine(machine, rows.filter((row) => row.machine === machine), release, report);
  }
}

interface Release {
  readonly kernel: string;
  readonly xen: string;
}

/** The release by the folder's name; what the user chose wins. */
export function releaseOf(path: string, options: ReplayOptions): Release {
  const folder = /(linux\d+_\d+)-(xen\d+_\d+)\/[^/]*$/.exec(path);
  return {
    kernel: options.kernel ?? folder?.[1] ?? "linux6_1",
    xen: options.xen ?? folder?.[2] ?? "xen4_17",
  };
}

function checkMachine(machine: string, rows: readonly CostRow[], release: Release, report: Report): void {
  if (machine === "xenpvh" && rows.every(({ layers }) => layers === null)) {
    report.advise();
    report.notes.push(
      `${machine}: ${rows.length} totals hold intercepted RDTSC; only rows by layer are compared`,
    );
    return;
  }
  const list = instructionListOf(machine, release.kernel, release.xen);
  if (list === undefined) {
    const what = `${machine}, ${release.kernel} on ${release.xen}`;
    report.fail(what, "a price list", "none is fitted to this release");
    return;
  }
  const observed = observations(release, rows, report);
  checkPrices(machine, observed, list, report);
  if (observed.some(({ layers }) => layers !== undefined)) checkEvents(machine, observed, report);
  noteUnpriced(machine, list, report);
}

function observations(
  { kernel, xen }: Release,
  rows: readonly CostRow[],
  report: Report,
): ObservedRow[] {
  const runs = new BenchRuns(kernel, xen);
  const frame = frameOf(rows);
  const observed: ObservedRow[] = [];
  for (const row of rows) {
    if (row.bench === FRAME_BENCH) continue;
    const observation = observe(row, runs, frame);
    if (observation === null) {
      report.fail(`${row.bench} ${row.n} ${row.machine}`, "a bench of this name", "no model runs it");
    } else observed.push(observation);
  }
  return observed;
}

function noteUnpriced(machine: string, list: InstructionList, report: Report): void {
  for (const [kind, bench] of Object.entries(list.unpriced)) {
    report.notes.push(`${machine}: ${kind} has no price, it happens in ${bench} only`);
  }
}
