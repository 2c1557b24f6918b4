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

import type { BenchCase } from "../bench/bench_case.ts";
import { filesBelow, ROOT } from "./gate/project_files.ts";
import { ratiosOf } from "./gate/ratios.ts";

const DEFAULT_ROUNDS = 5;
const NOT_CASES: ReadonlySet<string> = new Set(["bench/bench_case.ts"]);

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

async function runCase(file: string, rounds: number): Promise<void> {
  const { default: bench } = await import(new URL(file, ROOT).href) as { default: BenchCase };
  const results: Record<string, number>[] = [];
  const checksums = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const times: Record<string, number> = {};
    for (const subject of Object.keys(bench.subjects)) {
      const { nanoseconds, checksum } = await measure(file, subject);
      times[subject] = nanoseconds;
      checksums.set(subject, checksum);
    }
    results.push(times);
  }
  if (new Set(checksums.values()).size > 1) {
    throw new Error(`Cannot compare the subjects of ${file}: they do different work`);
  }
  console.log(`${file.slice("bench/".length, -".ts".length)}: ${bench.about} (${rounds} rounds)`);
  for (const { subject, nanoseconds, median, least, most } of ratiosOf(results, bench.yardstick)) {
    const range = `${least.toFixed(2)}–${most.toFixed(2)}`;
    console.log(
      `  ${subject.padEnd(20)} ${nanoseconds.toFixed(1).padStart(9)} ns/${bench.unit}` +
        `  ${median.toFixed(2).padStart(6)} × ${bench.yardstick} (${range})`,
    );
  }
}

async function measure(file: string, subject: string): Promise<{ nanoseconds: number; checksum: number }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--allow-read", "scripts/gate/measure.ts", file, subject],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot measure ${subject} of ${file}: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout)) as { nanoseconds: number; checksum: number };
}
