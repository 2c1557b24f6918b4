/**
 * Replays recorded grant cases, each on a host of its own: every step's outputs, the VMAs of the window, the flags of
 * the granter's entries, the kinds of kernel message. After a step that comes out otherwise the case goes on, and later
 * steps that suffer from it count as failed, too.
 *
 * @module
 */

import { KernelBug } from "../core/crash.ts";
import { type Format, type Head, numberedRows, type Row } from "./format.ts";
import { GrantWorld } from "./grant_world.ts";
import { crashCause, GRANT_OPERATIONS, runHang } from "./grants/operations.ts";
import { comparable, OUTPUTS } from "./grants/outputs.ts";
import { openFile, runSetup } from "./grants/setup.ts";
import { type Outcome, Step } from "./grants/step.ts";
import { oneOf } from "./fields.ts";
import { grantFlags, isHypercallStep, replayHypercallStep } from "./hypercalls/replay_step.ts";
import type { Report } from "./report.ts";
import type { XenMachine } from "./xen_host.ts";

/** The format. */
export const grantCases: Format = {
  name: "grant-cases",
  detect: (head: Head) => head.rows.length > 0 && head.rows.every(isStep),
  async replay(input, report) {
    let replay: CaseReplay | null = null;
    for await (const { row, where } of numberedRows(input)) {
      const machine = oneOf(String(row.machine), ["xenpv", "xenpvh"] as const, "machine", where);
      const name = `${machine} ${row.case}${row.mode === undefined ? "" : ` ${row.mode}`}`;
      if (replay === null || replay.name !== name) {
        replay = new CaseReplay(name, machine);
        if (row.mode === undefined) openDevices(replay.world);
      }
      replay.step(new Step(row, where), report);
    }
  },
};

/** Random sequences open their devices without saying so. */
function openDevices(world: GrantWorld): void {
  const parent = world.process("parent", "");
  openFile(world, parent, "/dev/xen/gntdev", "gntdev0");
  openFile(world, parent, "/dev/xen/gntalloc", "gntalloc0");
}

function isStep(row: Row): boolean {
  return typeof row.machine === "string" && typeof row.case === "string" && typeof row.op === "string";
}

/** True if only the end of the machine counts. */
function isMachineLost(row: Row): boolean {
  return typeof row.compare === "object" && row.compare !== null &&
    Object.values(row.compare).includes("machine-lost");
}

/** One case while it runs. */
class CaseReplay {
  readonly world: GrantWorld;
  #crash: KernelBug | null = null;

  constructor(readonly name: string, machine: XenMachine) {
    this.world = new GrantWorld(machine);
  }

  step(step: Step, report: Report): void {
    const label = `${this.name} step ${step.i}: ${step.op}`;
    if (step.op === "hang" || isMachineLost(step.row)) {
      this.#hang(step, report, label);
      return;
    }
    try {
      this.#compare(step, report, label);
    } catch (e) {
      // An input that the replayer does not understand, or a wish beyond the model's budgets: the step fails.
      if (!(e instanceof Error)) throw e;
      report.fail(label, "the recorded outputs", e.message);
    }
  }

  #compare(step: Step, report: Report, label: string): void {
    if (isHypercallStep(step.row) && this.#crash === null) {
      runSetup(this.world, step);
      const differences = replayHypercallStep(this.world, step.row);
      const shown = (side: "expected" | "got") => differences.map((d) => `${d.field} ${d[side]}`).join(", ");
      if (differences.length === 0) report.pass();
      else report.fail(label, shown("expected"), shown("got"));
      return;
    }
    const known = OUTPUTS[step.op];
    const operation = GRANT_OPERATIONS[step.op];
    if (known === undefined || operation === undefined) {
      report.fail(label, "the recorded outputs", `operation ${step.op} has no model`);
      return;
    }
    const got = this.#run(step);
    if (got instanceof KernelBug) {
      report.fail(label, "the recorded outputs", got.message);
      return;
    }
    const [expected, actual] = comparable(step, known, got);
    report.compare(label, JSON.stringify(expected), JSON.stringify(actual));
  }

  #run(step: Step): Outcome | KernelBug {
    if (this.#crash !== null) return this.#crash;
    const { world } = this;
    try {
      runSetup(world, step);
      const process = world.processes.get(step.text("proc", "parent")) ?? world.process("parent", step.where);
      const outcome = GRANT_OPERATIONS[step.op]!(world, step, process);
      return { ...outcome, ...this.#state(step, process.mm), kmsg_kinds: world.newMessages() };
    } catch (e) {
      if (!(e instanceof KernelBug)) throw e;
      return this.#crash = e;
    }
  }

  #state(step: Step, mm: Parameters<GrantWorld["vmas"]>[0]): Outcome {
    const { row } = step;
    this.world.kernel.work.advance(LOOK_MS);
    return {
      ...(row.vmas !== undefined && { vmas: this.world.vmas(mm) }),
      ...(row.gt !== undefined && { gt: grantFlags(this.world, step.number("gt_grant", 0)) }),
    };
  }

  /** The machine did not come back: the model must end in a bug of the same cause. */
  #hang(step: Step, report: Report, label: string): void {
    if (this.#crash === null) {
      try {
        runHang(this.world, step);
      } catch (e) {
        if (e instanceof KernelBug) this.#crash = e;
        else if (!(e instanceof Error)) throw e;
      }
    }
    const { cause } = step.row;
    const expected = `the machine is lost${cause === undefined || cause === "unknown" ? "" : `: ${cause}`}`;
    const got = this.#crash === null
      ? "the machine goes on"
      : `the machine is lost${
        cause === undefined || cause === "unknown" ? "" : `: ${crashCause(this.world)}`
      }`;
    report.compare(label, expected, got);
  }
}

/** Whoever looks at the state takes time. */
const LOOK_MS = 1;
