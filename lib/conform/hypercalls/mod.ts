/**
 * The raw hypercalls of the grant cases. Start with `replay_step.ts`.
 *
 * @module
 */

export { writeEntry } from "./entry_before.ts";
export type { HypercallHost, OpRecord } from "./host.ts";
export type { OpSource } from "./op_record.ts";
export { grantFlags, isHypercallStep, replayHypercallStep, type StepDifference } from "./replay_step.ts";
