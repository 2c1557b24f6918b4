/**
 * Replays recorded grant cases, each on a host of its own: every step's outputs, the VMAs of the window, the flags of
 * the granter's entries, the kinds of kernel message. After a step that comes out otherwise the case goes on, and later
 * steps that suffer from it count as failed, too.
 *
 * Where the release leaves something to chance (`raceOf`), a case that fails is replayed with the other outcome, and the
 * better one counts.
 *
 * @module
 */

import { type Format, type Head, numberedRows, type Row } from "./format.ts";
import { CaseReplay, type StepResult } from "./grants/case_replay.ts";
import { Step } from "./grants/step.ts";
import { oneOf } from "./fields.ts";
import { type Machine, machineOf } from "./machine.ts";
import type { Report } from "./report.ts";
import type { XenMachine } from "./xen_host.ts";

/** The format. */
export const grantCases: Format = {
  name: "grant-cases",
  detect: (head: Head) => head.rows.length > 0 && head.rows.every(isStep),
  async replay(input, report, options) {
    const releases = machineOf(input.path, options);
    let steps: Step[] = [];
    let current: RecordedCase | null = null;
    for await (const { row, where } of numberedRows(input)) {
      const machine = oneOf(String(row.machine), ["xenpv", "xenpvh"] as const, "machine", where);
      const name = `${machine} ${row.case}${row.mode === undefined ? "" : ` ${row.mode}`}`;
      if (current === null || current.name !== name) {
        if (current !== null) settle(report, replayCase(current, steps, releases));
        current = { name, machine, isRandom: row.mode === undefined };
        steps = [];
      }
      steps.push(new Step(row, where));
    }
    if (current !== null) settle(report, replayCase(current, steps, releases));
  },
};

/** A case, but for its steps. */
export interface RecordedCase {
  readonly name: string;
  readonly machine: XenMachine;
  readonly isRandom: boolean;
}

/** Replays a case; of the outcomes that the release allows, the one nearest to the recording. */
export function replayCase(
  { name, machine, isRandom }: RecordedCase,
  steps: readonly Step[],
  releases: Machine,
): readonly StepResult[] {
  const run = (lateRings: boolean) =>
    new CaseReplay({ name, machine, isRandom, releases, lateRings }).run(steps);
  const results = run(false);
  const mayRace = releases.kernel.rules?.ringsMayCloseLate === true &&
    steps.some(({ op }) => op === "io_uring_register_buffers");
  if (!mayRace || nrFailed(results) === 0) return results;
  const others = run(true);
  return nrFailed(others) < nrFailed(results) ? others : results;
}

function nrFailed(results: readonly StepResult[]): number {
  return results.filter(({ expected, got }) => expected !== got).length;
}

function settle(report: Report, results: readonly StepResult[]): void {
  for (const { label, expected, got } of results) report.compare(label, expected, got);
}

function isStep(row: Row): boolean {
  return typeof row.machine === "string" && typeof row.case === "string" && typeof row.op === "string";
}
