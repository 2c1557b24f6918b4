/**
 * `grantlab sweep NAME --out FOLDER [--axis NAME=VALUE,…]…`: runs an experiment at many points.
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
import { path } from "@optique/run/valueparser";
import { EXPORT_FORMATS, exportRows, flatRows } from "../../sweep/export_rows.ts";
import { progressBar } from "../../sweep/progress_bar.ts";
import { parseShard, SHARD_VARIABLES, shardFrom } from "../../sweep/shard.ts";
import { sweep, type SweepProgress } from "../../sweep/sweep.ts";
import {
  axisOption,
  axisWishes,
  describeExperiments,
  pricesOption,
  readPrices,
} from "../experiment_options.ts";
import { countingName, jsonFlag } from "../names.ts";
import { pathOf } from "../paths.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

const parser = object({
  name: optional(
    argument(countingName, { description: message`The experiment; without it all are listed.` }),
  ),
  axes: axisOption,
  out: optional(option("--out", path({ metavar: "FOLDER" }), {
    description: message`Where results are kept. Default: sweep-NAME.`,
  })),
  workers: optional(option("--workers", integer({ metavar: "N", min: 1 }), {
    description: message`Threads; one for each core if not given.`,
  })),
  shard: optional(option("--shard", string({ metavar: "I/N" }), {
    description: message`Do only part I of N; taken from the cluster's scheduler if not given.`,
  })),
  prices: pricesOption,
  as: multiple(
    option("--as", choice(Object.keys(EXPORT_FORMATS), { metavar: "FORMAT", suggest: "nearest" }), {
      description: message`Rows as csv, jsonl or parquet. May be repeated; csv if not given.`,
    }),
  ),
  json: jsonFlag,
});

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "run an experiment at many points, on all cores, resumed after a kill",
  asks:
    "reading and writing the folder of results, reading the library and a price list, variables of the scheduler",
  parser,
  rights({ name, out, prices }, { project }) {
    if (name === undefined) return {};
    const folder = out ?? `sweep-${name}`;
    const read = [pathOf(project), folder, ...prices === undefined ? [] : [prices]];
    return { read, write: [folder], env: SHARD_VARIABLES };
  },
  async run({ name, axes, out, workers, shard, prices, as, json }) {
    if (name === undefined) {
      const { EXPERIMENTS } = await import("../../experiments/catalogue.ts");
      console.log(describeExperiments(EXPERIMENTS));
      return EXIT.ok;
    }
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
    const tell = (line: string) => json ? undefined : console.log(line);
    tell(`${points} points: ${ran} run, ${found} from the folder`);
    const files: string[] = [];
    if (missing > 0) {
      tell(`${missing} points of other shards are missing; rows are written when all are there`);
    } else {
      const rows = flatRows(result, { model, prices: list });
      for (const format of as.length === 0 ? ["csv"] : new Set(as)) {
        files.push(await folder.write(`rows.${format}`, exportRows(format, rows)));
        tell(`${rows.length} rows in ${files.at(-1)}`);
      }
    }
    if (json) console.log(JSON.stringify({ points, ran, found, missing, files }));
    return EXIT.ok;
  },
});

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
