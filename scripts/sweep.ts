/**
 * Runs an experiment at many points: `deno task sweep NAME --out FOLDER [--axis NAME=VALUE,…]…`.
 *
 * All cores work; what the folder has is not run again; files of rows are written when all points are there. On a
 * cluster, each task takes its share by itself from Slurm's array or Kubernetes' indexed job, or by `--shard i/n`.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { run } from "@optique/run";
import { EXPERIMENTS } from "../lib/experiments/catalogue.ts";
import { EXPORT_FORMATS, exportRows, flatRows } from "../lib/sweep/export_rows.ts";
import { progressBar } from "../lib/sweep/progress_bar.ts";
import { parseShard, SHARD_VARIABLES, shardFrom } from "../lib/sweep/shard.ts";
import { sweep, type SweepProgress } from "../lib/sweep/sweep.ts";
import { axisWishes, describeExperiments, readPrices, refusal } from "./experiment_options.ts";

const commandLine = object({
  name: optional(argument(string({ metavar: "NAME" }), {
    description: message`The experiment; without it all are listed.`,
  })),
  axes: multiple(option("--axis", string({ metavar: "NAME=VALUE,…" }), {
    description: message`Values on an axis; from..to..step makes a range of numbers. May be repeated.`,
  })),
  out: optional(option("--out", string({ metavar: "FOLDER" }), {
    description: message`Where results are kept. Default: sweep-NAME.`,
  })),
  workers: optional(option("--workers", integer({ metavar: "N", min: 1 }), {
    description: message`Threads; one for each core if not given.`,
  })),
  shard: optional(option("--shard", string({ metavar: "I/N" }), {
    description: message`Do only part I of N; taken from the cluster's scheduler if not given.`,
  })),
  prices: optional(option("--prices", string({ metavar: "FILE" }), {
    description: message`Price list for the rows; the built-in assumed one if not given.`,
  })),
  as: multiple(option("--as", choice(Object.keys(EXPORT_FORMATS), { metavar: "FORMAT" }), {
    description: message`Rows as csv, jsonl or parquet. May be repeated; csv if not given.`,
  })),
});

async function main(): Promise<number> {
  const { name, axes, out, workers, shard, prices, as } = run(commandLine, {
    programName: "sweep",
    args: Deno.args,
    help: "option",
    errorExitCode: 2,
    brief: message`Runs an experiment at many points on all cores.`,
  });
  if (name === undefined) {
    console.log(describeExperiments(EXPERIMENTS));
    return 0;
  }
  try {
    const list = await readPrices(prices);
    const progress = new ProgressLine();
    const outcome = await sweep({
      experiment: name,
      axes: axisWishes(axes),
      folder: out ?? `sweep-${name}`,
      shard: shard === undefined ? shardFrom(environment()) : parseShard(shard),
      ...(workers === undefined ? {} : { workers }),
      onProgress: (at) => progress.show(at),
    });
    progress.end();
    const { points, found, ran, missing, model, folder, result } = outcome;
    console.log(`${points} points: ${ran} run, ${found} from the folder`);
    if (missing > 0) {
      console.log(`${missing} points of other shards are missing; rows are written when all are there`);
      return 0;
    }
    const rows = flatRows(result, { model, prices: list });
    for (const format of as.length === 0 ? ["csv"] : new Set(as)) {
      console.log(`${rows.length} rows in ${await folder.write(`rows.${format}`, exportRows(format, rows))}`);
    }
    return 0;
  } catch (error) {
    return refusal(error);
  }
}

/** The bar on a terminal's last line; elsewhere a line for every tenth. */
class ProgressLine {
  readonly #start = performance.now();
  readonly #isTerminal = Deno.stderr.isTerminal();
  #shown = -Infinity;
  #tenth = -1;
  #isOpen = false;

  show(at: SweepProgress): void {
    const now = performance.now();
    const seconds = (now - this.#start) / 1000;
    const isLast = at.found + at.ran === at.points;
    if (this.#isTerminal) {
      if (now - this.#shown < 100 && !isLast) return;
      this.#write(`\r${progressBar(at, seconds)}\x1b[K`);
      this.#isOpen = true;
    } else {
      const tenth = Math.floor(10 * (at.found + at.ran) / Math.max(1, at.points));
      if (tenth === this.#tenth) return;
      this.#tenth = tenth;
      this.#write(`${progressBar(at, seconds)}\n`);
    }
    this.#shown = now;
  }

  end(): void {
    if (this.#isOpen) this.#write("\n");
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}

/** The scheduler's variables, as far as this process may read them. */
function environment(): Record<string, string | undefined> {
  return Object.fromEntries(SHARD_VARIABLES.map((name) => [name, Deno.env.get(name)]));
}

if (import.meta.main) Deno.exit(await main());
