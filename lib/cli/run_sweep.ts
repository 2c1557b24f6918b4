/**
 * A sweep with its progress on stderr and its rows as files: what `grantlab sweep` and `scripts/sweep.ts` do.
 *
 * @module
 */

import { exportRows, flatRows } from "../sweep/export_rows.ts";
import { progressBar } from "../sweep/progress_bar.ts";
import { parseShard, SHARD_VARIABLES, shardFrom } from "../sweep/shard.ts";
import { sweep, type SweepProgress } from "../sweep/sweep.ts";
import { axisWishes, readPrices } from "./experiment_options.ts";

/** What was asked for on the command line. */
export interface SweepWish {
  readonly name: string;
  /** `NAME=VALUE,…` each. */
  readonly axes: readonly string[];
  readonly out: string | undefined;
  readonly workers: number | undefined;
  /** `I/N`; else what the cluster's scheduler says. */
  readonly shard: string | undefined;
  /** File of a price list. */
  readonly prices: string | undefined;
  /** Formats; CSV if there are none. */
  readonly as: readonly string[];
}

/** Where results go when nobody says. */
export function defaultFolder(name: string): string {
  return `sweep-${name}`;
}

/** Sweeps, and writes rows when all points are there. */
export async function runSweep(
  wish: SweepWish,
  variable: (name: string) => string | undefined,
): Promise<void> {
  const { name, axes, out, workers, shard, prices, as } = wish;
  const list = await readPrices(prices);
  const progress = new ProgressLine();
  const environment = Object.fromEntries(SHARD_VARIABLES.map((each) => [each, variable(each)]));
  const outcome = await sweep({
    experiment: name,
    axes: axisWishes(axes),
    folder: out ?? defaultFolder(name),
    shard: shard === undefined ? shardFrom(environment) : parseShard(shard),
    ...(workers === undefined ? {} : { workers }),
    onProgress: (at) => progress.show(at),
  });
  progress.end();
  const { points, found, ran, missing, model, folder, result } = outcome;
  console.log(`${points} points: ${ran} run, ${found} from the folder`);
  if (missing > 0) {
    console.log(`${missing} points of other shards are missing; rows are written when all are there`);
    return;
  }
  const rows = flatRows(result, { model, prices: list });
  for (const format of as.length === 0 ? ["csv"] : new Set(as)) {
    console.log(`${rows.length} rows in ${await folder.write(`rows.${format}`, exportRows(format, rows))}`);
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
