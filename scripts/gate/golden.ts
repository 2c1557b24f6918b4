/**
 * What the golden data in `tests/golden` is expected to give, and how a replay compares with it.
 *
 * @module
 */

import type { Finding } from "./finding.ts";

/** Numbers of one file or page-table image. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly advisory: number;
}

/** Expected tallies by path below `tests/golden`. */
export type Expected = Readonly<Record<string, Tally>>;

const COUNTS = /(\d+) passed, (\d+) failed, (\d+) advisory/;

/**
 * The tallies that `conform` printed: one line for each path, each naming its path and its counts, and a last line
 * `TOTAL: …`, which is left out.
 *
 * @throws {SyntaxError} if a path has no line, or the last line is not the total of the others
 */
export function readTallies(output: string, paths: readonly string[]): Map<string, Tally> {
  const lines = output.trimEnd().split("\n").filter((line) => COUNTS.test(line));
  const total = lines.pop() ?? "";
  if (!/^TOTAL: \d+ passed, \d+ failed, \d+ advisory$/.test(total)) {
    throw new SyntaxError(`Cannot read the replay: its last line is ${JSON.stringify(total)}`);
  }
  const tallies = new Map<string, Tally>();
  for (const path of paths) {
    const line = lines.find((l) => l.split(/[\s:]+/).includes(path));
    if (line === undefined) throw new SyntaxError(`Cannot read the replay: no line names ${path}`);
    tallies.set(path, tallyOf(line));
  }
  const sum = (field: keyof Tally) => [...tallies.values()].reduce((n, t) => n + t[field], 0);
  const { passed, failed, advisory } = tallyOf(total);
  if (sum("passed") !== passed || sum("failed") !== failed || sum("advisory") !== advisory) {
    throw new SyntaxError(`Cannot read the replay: the files do not add up to ${JSON.stringify(total)}`);
  }
  return tallies;
}

function tallyOf(line: string): Tally {
  const [, passed, failed, advisory] = COUNTS.exec(line)!;
  return { passed: Number(passed), failed: Number(failed), advisory: Number(advisory) };
}

/** Differences. Fewer passed is a fault of the model; more is good news that must be written down. */
export function compareTallies(expected: Expected, got: ReadonlyMap<string, Tally>): Finding[] {
  const findings: Finding[] = [];
  for (const [path, want] of Object.entries(expected)) {
    const has = got.get(path)!;
    const numbers = `${showTally(has)}, expected ${showTally(want)}`;
    if (has.passed === want.passed && has.failed === want.failed && has.advisory === want.advisory) continue;
    const isBetter = has.passed >= want.passed && has.failed <= want.failed;
    findings.push({
      file: `tests/golden/${path}`,
      reason: isBetter ? `${numbers}: better; write it down (check_conformance.ts --update)` : numbers,
    });
  }
  return findings;
}

function showTally({ passed, failed, advisory }: Tally): string {
  return `${passed} passed, ${failed} failed, ${advisory} advisory`;
}

/** Golden files that nothing replays: neither named in the expectations nor below a folder that is. */
export function findUnreplayed(expected: Expected, files: readonly string[]): Finding[] {
  const paths = Object.keys(expected);
  return files
    .filter((file) => !paths.some((path) => file === path || file.startsWith(`${path}/`)))
    .map((file) => ({ file: `tests/golden/${file}`, reason: "not in expected.json, so nothing replays it" }));
}
