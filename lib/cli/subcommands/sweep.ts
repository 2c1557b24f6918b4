/**
 * `grantlab sweep NAME --out FOLDER`: an experiment at many points, on all cores, resumed after a kill, shared between
 * the tasks of a cluster.
 *
 * @module
 */

import { SHARD_VARIABLES } from "../../sweep/shard.ts";
import { pathOf } from "../paths.ts";
import { defaultFolder } from "../run_sweep.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";
import { sweepParser } from "../sweep_options.ts";

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "run an experiment at many points on all cores",
  asks: "reading the library and FOLDER, writing FOLDER, the scheduler's variables of the environment",
  parser: sweepParser,
  rights({ name, out, prices }, { project }) {
    if (name === undefined) return {};
    const folder = out ?? defaultFolder(name);
    const read = [pathOf(project), folder, ...(prices === undefined ? [] : [prices])];
    return { read, write: [folder], env: SHARD_VARIABLES };
  },
  async run(wish, { variable }) {
    const { name } = wish;
    if (name === undefined) {
      const { EXPERIMENTS } = await import("../../experiments/catalogue.ts");
      const { describeExperiments } = await import("../experiment_options.ts");
      console.log(describeExperiments(EXPERIMENTS));
      return EXIT.ok;
    }
    const { runSweep } = await import("../run_sweep.ts");
    await runSweep({ ...wish, name }, variable);
    return EXIT.ok;
  },
});
