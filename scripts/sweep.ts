/**
 * Runs an experiment at many points: `deno task sweep NAME --out FOLDER [--axis NAME=VALUE,…]…`.
 *
 * All cores work; what the folder has is not run again; files of rows are written when all points are there. On a
 * cluster, each task takes its share by itself from Slurm's array or Kubernetes' indexed job, or by `--shard i/n`.
 *
 * @module
 */

import { message } from "@optique/core/message";
import { run } from "@optique/run";
import { describeExperiments, refusal } from "../lib/cli/experiment_options.ts";
import { runSweep } from "../lib/cli/run_sweep.ts";
import { sweepParser } from "../lib/cli/sweep_options.ts";
import { EXPERIMENTS } from "../lib/experiments/catalogue.ts";

async function main(): Promise<number> {
  const wish = run(sweepParser, {
    programName: "sweep",
    args: Deno.args,
    help: "option",
    errorExitCode: 2,
    brief: message`Runs an experiment at many points on all cores.`,
  });
  const { name } = wish;
  if (name === undefined) {
    console.log(describeExperiments(EXPERIMENTS));
    return 0;
  }
  try {
    await runSweep({ ...wish, name }, (variable) => Deno.env.get(variable));
    return 0;
  } catch (error) {
    return refusal(error);
  }
}

if (import.meta.main) Deno.exit(await main());
