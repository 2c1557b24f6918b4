/**
 * Runs a step of the gate and judges it.
 *
 * @module
 */

import { ROOT } from "./project_files.ts";
import type { Step } from "./steps.ts";

/** How a step went. */
export interface StepResult {
  readonly step: Step;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  /** All that it printed. */
  readonly output: string;
}

/** Runs one step with the very `deno` that runs this. */
export async function runStep(step: Step): Promise<StepResult> {
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...step.args],
    cwd: ROOT,
    env: {
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
      ...(step.coverage === undefined
        ? {}
        : { DENO_COVERAGE_DIR: decodeURIComponent(new URL(step.coverage, ROOT).pathname) }),
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  const seconds = (performance.now() - start) / 1000;
  return { step, seconds, output, ...judge(step, success, output) };
}

/**
 * Tests passed and failed. A step of tests that ran none, or that broke without a test that failed, has failed: a
 * gate that looks at nothing must not be green.
 */
export function judge(
  step: Step,
  success: boolean,
  output: string,
): { passed: number; failed: number } {
  if (!step.isTests) return success ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const summary = [...output.matchAll(/(\d+) passed(?: \([^)]*\))? \| (\d+) failed/g)].at(-1);
  const passed = Number(summary?.[1] ?? 0);
  const failed = Number(summary?.[2] ?? 0);
  return success && passed > 0 ? { passed, failed } : { passed, failed: Math.max(failed, 1) };
}

/** The results of a phase in the order of its steps, `lanes` of them running at the same time. */
export async function* runPhase(
  steps: readonly Step[],
  lanes: number,
  run: (step: Step) => Promise<StepResult> = runStep,
): AsyncGenerator<StepResult> {
  const slots = steps.map(() => Promise.withResolvers<StepResult>());
  let next = 0;
  const lane = async () => {
    while (next < steps.length) {
      const at = next++;
      await run(steps[at]!).then(slots[at]!.resolve, slots[at]!.reject);
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, lane));
  for (const slot of slots) yield await slot.promise;
  await running;
}
