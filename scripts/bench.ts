/**
 * Runs the benchmarks of `bench/`: every subject in a process of its own, the subjects of a case in turn, round after
 * round, so that a busy moment of the machine hits all alike. Prints ratios to the yardstick.
 *
 * ```sh
 * deno task bench [CASE…] [--rounds N]
 * ```
 *
 * @module
 */

import type { BenchCase, NativeSubject } from "../bench/bench_case.ts";
import { filesBelow, ROOT } from "./gate/project_files.ts";
import { ratiosOf } from "./gate/ratios.ts";

const DEFAULT_ROUNDS = 5;
const NOT_CASES: ReadonlySet<string> = new Set([
  "bench/bench_case.ts",
  "bench/mmu_world.ts",
  "bench/vma_world.ts",
]);

if (import.meta.main) {
  const all = filesBelow("bench", [".ts"]).filter((file) => !NOT_CASES.has(file));
  const at = Deno.args.indexOf("--rounds");
  const wish = at < 0 ? String(DEFAULT_ROUNDS) : Deno.args[at + 1] ?? "";
  const names = Deno.args.filter((_, i) => at < 0 || (i !== at && i !== at + 1));
  const problem = findProblem(all, names, wish);
  if (problem !== undefined) {
    console.error(problem);
    Deno.exit(2);
  }
  const chosen = names.length === 0 ? all : names.map(fileOf);
  for (const file of chosen) await runCase(file, Number(wish));
}

function fileOf(name: string): string {
  return `bench/${name}.ts`;
}

function findProblem(all: readonly string[], names: readonly string[], rounds: string): string | undefined {
  if (!/^[1-9]\d{0,2}$/.test(rounds)) {
    return `Cannot run ${JSON.stringify(rounds)} rounds: it must be a whole number from 1 to 999`;
  }
  const unknown = names.find((name) => !all.includes(fileOf(name)));
  if (unknown === undefined) return undefined;
  const known = all.map((file) => file.slice("bench/".length, -".ts".length)).join(", ");
  return `Cannot run the case ${JSON.stringify(unknown)}: there are ${known}`;
}

/** Time of one unit of work, and what was computed. */
interface Measurement {
  readonly nanoseconds: number;
  readonly checksum: number;
}

async function runCase(file: string, rounds: number): Promise<void> {
  const { default: bench } = await import(new URL(file, ROOT).href) as { default: BenchCase };
  const folder = await makeFolder(bench);
  try {
    const native = folder === undefined ? {} : await buildAll(bench.native ?? {}, folder);
    const runs: Record<string, () => Promise<Measurement>> = {};
    for (const [subject, command] of Object.entries(native)) {
      runs[subject] = () => run(command, [...bench.native![subject]!.args, String(bench.n)], subject);
    }
    for (const subject of Object.keys(bench.subjects)) runs[subject] = () => measure(file, subject);
    const yardstick = bench.yardstick in runs ? bench.yardstick : Object.keys(runs)[0]!;
    if (yardstick !== bench.yardstick) console.error(`${file}: there is no C compiler, so no ratio to C`);
    print(file, bench, rounds, yardstick, await interleave(file, runs, rounds));
  } finally {
    if (folder !== undefined) await new Deno.Command("rm", { args: ["-r", folder] }).output();
  }
}

/** Rounds of all subjects in turn. */
async function interleave(
  file: string,
  runs: Readonly<Record<string, () => Promise<Measurement>>>,
  rounds: number,
): Promise<Record<string, number>[]> {
  const results: Record<string, number>[] = [];
  const checksums = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const times: Record<string, number> = {};
    for (const [subject, run] of Object.entries(runs)) {
      const { nanoseconds, checksum } = await run();
      times[subject] = nanoseconds;
      checksums.set(subject, checksum);
    }
    results.push(times);
  }
  if (new Set(checksums.values()).size > 1) {
    throw new Error(`Cannot compare the subjects of ${file}: they do different work`);
  }
  return results;
}

function print(
  file: string,
  bench: BenchCase,
  rounds: number,
  yardstick: string,
  results: readonly Record<string, number>[],
): void {
  console.log(`${file.slice("bench/".length, -".ts".length)}: ${bench.about} (${rounds} rounds)`);
  for (const { subject, nanoseconds, median, least, most } of ratiosOf(results, yardstick)) {
    const range = `${least.toFixed(2)}–${most.toFixed(2)}`;
    const goal = yardstick === bench.yardstick ? bench.goals?.[subject] : undefined;
    const verdict = goal === undefined ? "" : `  goal ≤ ${goal}: ${median <= goal ? "met" : "MISSED"}`;
    console.log(
      `  ${subject.padEnd(20)} ${nanoseconds.toFixed(1).padStart(9)} ns/${bench.unit}` +
        `  ${median.toFixed(2).padStart(6)} × ${yardstick} (${range})${verdict}`,
    );
  }
}

/** A folder for programs to be built in, or `undefined` if the case has none or there is no compiler. */
async function makeFolder(bench: BenchCase): Promise<string | undefined> {
  if (bench.native === undefined || !(await hasCompiler())) return undefined;
  const { stdout } = await new Deno.Command("mktemp", { args: ["-d"] }).output();
  return new TextDecoder().decode(stdout).trim();
}

async function hasCompiler(): Promise<boolean> {
  try {
    return (await new Deno.Command("cc", { args: ["--version"] }).output()).success;
  } catch (e) {
    if (e instanceof Deno.errors.NotFound) return false;
    throw e;
  }
}

/** Builds the programs; answers their paths by subject. */
async function buildAll(
  native: Readonly<Record<string, NativeSubject>>,
  folder: string,
): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const [subject, { source, flags = [] }] of Object.entries(native)) {
    const path = `${folder}/subject${Object.keys(paths).length}`;
    const { success, stderr } = await new Deno.Command("cc", {
      args: ["-O2", ...flags, "-o", path, source],
      cwd: ROOT,
    }).output();
    if (!success) throw new Error(`Cannot build ${source}: ${new TextDecoder().decode(stderr)}`);
    paths[subject] = path;
  }
  return paths;
}

function measure(file: string, subject: string): Promise<Measurement> {
  const args = ["run", "--no-prompt", "--no-check", "--allow-read", "scripts/gate/measure.ts", file, subject];
  return run(Deno.execPath(), args, `${subject} of ${file}`);
}

async function run(command: string, args: readonly string[], what: string): Promise<Measurement> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd: ROOT })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot measure ${what}: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout)) as Measurement;
}
