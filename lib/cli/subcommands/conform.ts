/**
 * `grantlab conform [--show N] PATH…`: replays golden data.
 *
 * One line a path, `path: N passed, M failed, K advisory (format)`, criteria of costs and the first differences indented below it; the last
 * line is `TOTAL: …`. Errors and notes go to stderr. Exit code 0 if nothing failed, 1 if something did, 2 if a path
 * could not be read or understood.
 *
 * @module
 */

import { merge, object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, withDefault } from "@optique/core/modifiers";
import { argument, option } from "@optique/core/primitives";
import { integer } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import type { ReplayOptions } from "../../conform/format.ts";
import type { Difference } from "../../conform/report.ts";
import { jsonFlag, kernelOption, xenOption } from "../names.ts";
import { Progress } from "../progress.ts";
import { EXIT, type Subcommand, subcommand } from "../subcommand.ts";

/** What became of one path. */
interface Replayed {
  readonly path: string;
  readonly format: string;
  readonly passed: number;
  readonly failed: number;
  readonly advisory: number;
  /** What is asked of a file of costs as a whole. */
  readonly criteria: readonly string[];
  readonly differences: readonly Difference[];
  readonly notes: readonly string[];
}

/** What could not be replayed. */
interface Unread {
  readonly path: string;
  readonly error: string;
}

const parser = merge(
  object({
    show: withDefault(
      option("--show", integer({ metavar: "N", min: 0 }), {
        description: message`How many differences to show for each path; 3 if not given.`,
      }),
      3,
    ),
    kernel: kernelOption,
    xen: xenOption,
    json: jsonFlag,
  }),
  object({
    paths: multiple(argument(path({ metavar: "PATH" }), { description: message`A recording.` }), {
      min: 1,
      errors: {
        tooFew:
          message`There must be the PATH of a recording: grantlab conform tests/golden/vma-scripted.jsonl.gz`,
      },
    }),
  }),
);

/** The subcommand. */
export const command: Subcommand = subcommand({
  brief: "replay recordings of real systems and compare",
  asks: "reading the files named",
  parser,
  rights: ({ paths }) => ({ read: paths }),
  async run({ show, kernel, xen, json, paths }) {
    const options: ReplayOptions = {
      ...(kernel === undefined ? {} : { kernel }),
      ...(xen === undefined ? {} : { xen }),
    };
    const progress = new Progress(paths.length);
    const results: (Replayed | Unread)[] = [];
    for (const [done, path] of paths.entries()) {
      progress.at(done, path);
      const result = await replay(path, options, show);
      progress.clear();
      results.push(result);
      if (!json) print(result);
    }
    const read = results.filter((result) => "format" in result);
    const sum = (field: "passed" | "failed" | "advisory") => read.reduce((n, each) => n + each[field], 0);
    const total = { passed: sum("passed"), failed: sum("failed"), advisory: sum("advisory") };
    console.log(json ? JSON.stringify({ results, total }) : `TOTAL: ${counts(total)}`);
    return read.length < results.length ? EXIT.usage : total.failed > 0 ? EXIT.failed : EXIT.ok;
  },
});

async function replay(path: string, options: ReplayOptions, show: number): Promise<Replayed | Unread> {
  const { BadInput, openInput, replayInput } = await import("../../conform/mod.ts");
  try {
    const { format, report } = await replayInput(await openInput(path), options, show);
    const { passed, failed, advisory, criteria, differences, notes } = report;
    return { path, format: format.name, passed, failed, advisory, criteria, differences, notes };
  } catch (error) {
    // Bad data, or a wish that the model refuses by name.
    if (!(error instanceof BadInput || error instanceof RangeError)) throw error;
    return { path, error: error.message };
  }
}

function print(result: Replayed | Unread): void {
  if ("error" in result) return console.error(`error: ${result.error}`);
  console.log(`${result.path}: ${counts(result)} (${result.format})`);
  for (const criterion of result.criteria) console.log(`  ${criterion}`);
  for (const { where, expected, got } of result.differences) {
    console.log(`  ${where}: expected ${expected}, got ${got}`);
  }
  for (const note of result.notes) console.error(`${result.path}: ${note}`);
}

function counts({ passed, failed, advisory }: Pick<Replayed, "passed" | "failed" | "advisory">): string {
  return `${passed} passed, ${failed} failed, ${advisory} advisory`;
}
