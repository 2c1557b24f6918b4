/**
 * All operations of grant cases, and what is done where the recorded machine did not come back.
 *
 * @module
 */

import { PAGE_SIZE } from "../../core/geometry.ts";
import { munmap } from "../../linux/mm/munmap.ts";
import type { Row } from "../format.ts";
import type { GrantWorld } from "../grant_world.ts";
import { GNTDEV_OPERATIONS } from "./gntdev.ts";
import { GRANTER_OPERATIONS } from "./granter.ts";
import { type GrantOperation, MEMORY_OPERATIONS } from "./memory.ts";
import { forkProcess } from "./processes.ts";
import { runSetup } from "./setup.ts";
import { Step, WINDOW, WINDOW_PAGES } from "./step.ts";
import { SYSTEM_OPERATIONS } from "./system.ts";
import { TRANSFER_OPERATIONS } from "./transfers.ts";

/** By name of the row's `op`. */
export const GRANT_OPERATIONS: Readonly<Record<string, GrantOperation>> = {
  ...MEMORY_OPERATIONS,
  ...GNTDEV_OPERATIONS,
  ...GRANTER_OPERATIONS,
  ...TRANSFER_OPERATIONS,
  ...SYSTEM_OPERATIONS,
};

/**
 * Runs the step that the recorded machine did not come back from: `in.step` is a row of its own, or names the
 * operation, which then goes over the whole window.
 */
export function runHang(world: GrantWorld, step: Step): void {
  runSetup(world, step);
  const process = world.process(step.text("proc", "parent"), step.where);
  const lost = step.get("step");
  if (step.op !== "hang") {
    GRANT_OPERATIONS[step.op]?.(world, step, process);
    return;
  }
  if (typeof lost === "object" && lost !== null) {
    const inner = new Step(lost as Row, step.where);
    runSetup(world, inner);
    GRANT_OPERATIONS[inner.op]?.(world, inner, process);
    return;
  }
  const name = String(lost);
  if (/fork/.test(name)) forkProcess(world, process, "child");
  else if (/exit|end/.test(name)) world.end();
  else munmap(process.mm, WINDOW, WINDOW_PAGES * PAGE_SIZE);
}

/** `oops` or `warning`: the last message that the kernel had to say. */
export function crashCause(world: GrantWorld): string {
  const { log } = world.kernel.system;
  const last = log.findLast(({ kind }) => kind === "oops" || kind === "warning");
  return last?.kind ?? "unknown";
}
