/**
 * Mutation testing of a sample of the model: changes one thing in a file, runs that file's unit tests, and tells which
 * changes nobody notices. Slow, so it is no part of the gate.
 *
 * ```sh
 * deno task test:mutation                      # every file of the sample
 * deno task test:mutation lib/x86/pte.ts       # one of it
 * deno task test:mutation --concurrency 1      # leave the other core alone; 2 without the option
 * ```
 *
 * Stryker makes the mutants and counts; the sample is in `tests/mutation/sample.json`, the last results and what was
 * learned from survivors in `tests/mutation/README.md`. Exit code 1 if a file's score is below its bound.
 *
 * @module
 */

import { ROOT } from "./gate/project_files.ts";

const STRYKER = "npm:@stryker-mutator/core@10.1.1/stryker";

/** A file of the sample. */
interface Subject {
  /** Test files that must notice. */
  readonly tests: readonly string[];
  /** Per cent of mutants that they must notice at least. */
  readonly bound: number;
}

/** A place in a file; lines and columns count from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** The part of Stryker's JSON report that is read here. */
interface StrykerReport {
  readonly files: Readonly<
    Record<string, {
      readonly source: string;
      readonly mutants: readonly {
        readonly mutatorName: string;
        readonly replacement?: string;
        readonly status: string;
        readonly location: { readonly start: Position; readonly end: Position };
      }[];
    }>
  >;
}

async function main(args: readonly string[]): Promise<number> {
  const [option, count] = args;
  const hasOption = option === "--concurrency";
  const concurrency = hasOption ? Number(count) : 2;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    console.error(`Cannot run ${count} at a time: --concurrency takes a whole number from 1`);
    return 2;
  }
  const wished = hasOption ? args.slice(2) : args;
  const sample = JSON.parse(
    await Deno.readTextFile(new URL("tests/mutation/sample.json", ROOT)),
  ) as Record<string, Subject>;
  const unknown = wished.find((file) => !Object.hasOwn(sample, file));
  if (unknown !== undefined) {
    console.error(`Cannot mutate ${unknown}: the sample has ${Object.keys(sample).join(", ")}`);
    return 2;
  }
  let isBelow = false;
  for (const file of wished.length > 0 ? wished : Object.keys(sample)) {
    const score = await mutate(file, sample[file]!, concurrency);
    isBelow ||= score < sample[file]!.bound;
  }
  return isBelow ? 1 : 0;
}

/** Mutates a file; tells and answers its score. */
async function mutate(file: string, { tests, bound }: Subject, concurrency: number): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "grantlab-mutation-" });
  try {
    const config = `${folder}/stryker.json`;
    await Deno.writeTextFile(config, JSON.stringify(settings(file, tests, folder, concurrency)));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-lock", STRYKER, "run", config],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    return tell(file, bound, JSON.parse(await Deno.readTextFile(`${folder}/report.json`)) as StrykerReport);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function settings(file: string, tests: readonly string[], folder: string, concurrency: number) {
  const command = [
    Deno.execPath(),
    "test",
    "--no-check",
    "--no-lock",
    "--allow-read",
    "--allow-env",
    "--fail-fast",
  ];
  return {
    testRunner: "command",
    commandRunner: { command: [...command, ...tests].join(" ") },
    mutate: [file],
    plugins: [],
    reporters: ["json"],
    jsonReporter: { fileName: `${folder}/report.json` },
    ignorePatterns: [".git", "bench", "coverage", "docs", "notebooks", "out", "tests/golden"],
    concurrency,
    timeoutMS: 20_000,
    tempDirName: `${folder}/sandbox`,
  };
}

function tell(file: string, bound: number, { files }: StrykerReport): number {
  const mutants = Object.values(files).flatMap(({ mutants, source }) =>
    mutants.map((mutant) => ({ ...mutant, text: cut(source, mutant.location) }))
  );
  const noticed = mutants.filter(({ status }) => status === "Killed" || status === "Timeout");
  const survivors = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  const score = 100 * noticed.length / Math.max(1, noticed.length + survivors.length);
  const verdict = score < bound ? `below ${bound} %` : "ok";
  // On a busy machine a run may be late although nothing noticed: many of them make the score a flattering one.
  const late = mutants.filter(({ status }) => status === "Timeout").length;
  console.log(
    `${file}: ${
      score.toFixed(1)
    } %, ${survivors.length} of ${mutants.length} survive, ${late} timed out: ${verdict}`,
  );
  for (const { mutatorName, replacement = "", text, location: { start } } of survivors) {
    console.log(
      `  line ${start.line}, column ${start.column}: ${mutatorName}: ${onOneLine(text)} becomes ${
        onOneLine(replacement)
      }`,
    );
  }
  return score;
}

/** The text of a file between two places. */
function cut(source: string, { start, end }: { readonly start: Position; readonly end: Position }): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  lines[lines.length - 1] = lines.at(-1)!.slice(0, end.column - 1);
  lines[0] = lines[0]!.slice(start.column - 1);
  return lines.join("\n");
}

function onOneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
