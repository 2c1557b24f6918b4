/**
 * One grant case while it runs: each step is done, and what it answers is put beside what was recorded.
 *
 * @module
 */

import { KernelBug } from "../../core/crash.ts";
import type { Row } from "../format.ts";
import { GrantWorld } from "../grant_world.ts";
import { grantFlags, isHypercallStep, replayHypercallStep } from "../hypercalls/replay_step.ts";
import type { Machine } from "../machine.ts";
import type { XenMachine } from "../xen_host.ts";
import { crashCause, GRANT_OPERATIONS, runHang } from "./operations.ts";
import { comparable, OUTPUTS } from "./outputs.ts";
import { openFile, runSetup } from "./setup.ts";
import type { Outcome, Step } from "./step.ts";
import { WorkerMessages } from "./worker_messages.ts";

/** What a step said, recorded and modelled; it passes if both are equal. */
export interface StepResult {
  readonly label: string;
  readonly expected: string;
  readonly got: string;
}

/** How a case is replayed. */
export interface CaseOptions {
  readonly name: string;
  readonly machine: XenMachine;
  readonly releases: Machine;
  /** A random sequence: it opens its devices without saying so. */
  readonly isRandom: boolean;
  /** An io_uring gives its pages back some time after it was closed. */
  readonly lateRings: boolean;
}

/** One case. */
export class CaseReplay {
  readonly world: GrantWorld;
  readonly #name: string;
  readonly #workers = new WorkerMessages();
  #crash: KernelBug | null = null;

  constructor({ name, machine, releases, isRandom, lateRings }: CaseOptions) {
    this.#name = name;
    this.world = new GrantWorld(machine, releases, { lateRings });
    if (!isRandom) return;
    const parent = this.world.process("parent", "");
    openFile(this.world, parent, "/dev/xen/gntdev", "gntdev0");
    openFile(this.world, parent, "/dev/xen/gntalloc", "gntalloc0");
  }

  /** All steps in order. */
  run(steps: readonly Step[]): readonly StepResult[] {
    const sides = steps.map((step) => ({
      label: `${this.#name} step ${step.i}: ${step.op}`,
      ...this.step(step),
    }));
    return sides.map(({ label, expected, got }) => ({
      label,
      ...this.#workers.settle(expected, got),
    }));
  }

  /** The next step; a message of a worker may still turn out to belong to another step. */
  step(step: Step): Sides {
    if (step.op === "hang" || isMachineLost(step.row)) return this.#hang(step);
    try {
      return this.#compare(step);
    } catch (e) {
      // An input that the replayer does not understand, or a wish beyond the model's budgets: the step fails.
      if (!(e instanceof Error)) throw e;
      return failed(e.message);
    }
  }

  #compare(step: Step): Sides {
    if (isHypercallStep(step.row) && this.#crash === null) {
      runSetup(this.world, step);
      const differences = replayHypercallStep(this.world, step.row);
      const shown = (side: "expected" | "got") => differences.map((d) => `${d.field} ${d[side]}`).join(", ");
      return { expected: shown("expected"), got: differences.length === 0 ? "" : shown("got") };
    }
    const known = OUTPUTS[step.op];
    const operation = GRANT_OPERATIONS[step.op];
    if (known === undefined || operation === undefined) return failed(`operation ${step.op} has no model`);
    const got = this.#run(step);
    if (got instanceof KernelBug) return failed(got.message);
    const [expected, actual] = comparable(step, known, got);
    this.#workers.note(expected, actual, this.world.workerMessages);
    this.#workers.noteAfterwards(this.world.workersAfterwards);
    return { expected, got: actual };
  }

  #run(step: Step): Outcome | KernelBug {
    const { world } = this;
    // The process is gone; the machine may have survived it.
    const isAfterwards = step.op === "end" && world.kernel.rules.oopsEndsProcess;
    if (this.#crash !== null && !isAfterwards) return this.#crash;
    try {
      runSetup(world, step);
      const process = world.processes.get(step.text("proc", "parent")) ?? world.process("parent", step.where);
      const outcome = GRANT_OPERATIONS[step.op]!(world, step, process);
      const state = this.#state(step, process.mm);
      return { kmsg_kinds: world.newMessages(), ...state, ...outcome };
    } catch (e) {
      if (!(e instanceof KernelBug)) throw e;
      return this.#crash = e;
    }
  }

  #state(step: Step, mm: Parameters<GrantWorld["vmas"]>[0]): Outcome {
    const { row, world } = { row: step.row, world: this.world };
    world.kernel.work.advance(LOOK_MS + (row.gt === undefined ? 0 : LOOK_AT_ENTRIES_MS));
    return {
      ...(row.vmas !== undefined && { vmas: world.vmas(mm) }),
      ...(row.gt !== undefined && { gt: grantFlags(world, step.number("gt_grant", 0)) }),
    };
  }

  /** The machine did not come back: the model must end in a bug of the same cause. */
  #hang(step: Step): Sides {
    if (this.#crash === null) {
      try {
        runHang(this.world, step);
      } catch (e) {
        if (e instanceof KernelBug) this.#crash = e;
        else if (!(e instanceof Error)) throw e;
      }
    }
    const { cause } = step.row;
    const isKnown = cause !== undefined && cause !== "unknown";
    const lost = (why: unknown) => `the machine is lost${isKnown ? `: ${why}` : ""}`;
    return {
      expected: lost(cause),
      got: this.#crash === null ? "the machine goes on" : lost(crashCause(this.world)),
    };
  }
}

/** Outputs by name, or a sentence. */
export interface Sides {
  readonly expected: Outcome | string;
  readonly got: Outcome | string;
}

function failed(why: string): Sides {
  return { expected: "the recorded outputs", got: why };
}

/** True if only the end of the machine counts. */
function isMachineLost(row: Row): boolean {
  return typeof row.compare === "object" && row.compare !== null &&
    Object.values(row.compare).includes("machine-lost");
}

/** Whoever looks at the state takes time. */
const LOOK_MS = 1;

/**
 * Another domain's grant entries are read with hypercalls: long enough for a deferred unmap to come first, as it does
 * where the entries are looked at and does not where they are not.
 *
 * @cite recorded linux7_2-xen4_20/grant-cases-pv.jsonl buffered_io
 */
const LOOK_AT_ENTRIES_MS = 5;
